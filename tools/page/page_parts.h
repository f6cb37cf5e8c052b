// The page's sources (page.html, page.css, *.js), put together by embed_page.cmake when the tree is built. Between the
// parts stands what the page may connect to, and its data.
#pragma once

namespace mallocspy {

extern const char kPageBeforeConnect[];
extern const char kPageBeforeData[];
extern const char kPageBehindData[];

}  // namespace mallocspy

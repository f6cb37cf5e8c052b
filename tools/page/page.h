// The page itself: one file with style, script and data, that loads nothing from anywhere.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace mallocspy {

// `data` is PageData() or DiffPageData().
std::string PageHtml(absl::string_view data);

// The same page without data: it asks the server that it came from for /data.json, again and again.
std::string LivePageHtml();

}  // namespace mallocspy

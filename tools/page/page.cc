#include "tools/page/page.h"

#include "absl/strings/str_cat.h"
#include "tools/page/page_parts.h"

namespace mallocspy {

std::string PageHtml(absl::string_view data) {
  return absl::StrCat(kPageBeforeConnect, "'none'", kPageBeforeData, data, kPageBehindData);
}

std::string LivePageHtml() { return absl::StrCat(kPageBeforeConnect, "'self'", kPageBeforeData, kPageBehindData); }

}  // namespace mallocspy

#include "tools/page/script_text.h"

#include "absl/strings/str_replace.h"

namespace mallocspy {

std::string ScriptText(absl::string_view json) {
  return absl::StrReplaceAll(
      json,
      {{"<", "\\u003c"}, {">", "\\u003e"}, {"&", "\\u0026"}, {"\xe2\x80\xa8", "\\u2028"}, {"\xe2\x80\xa9", "\\u2029"}});
}

}  // namespace mallocspy

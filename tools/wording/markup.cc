#include "tools/wording/markup.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

// One line, without characters that XML 1.0 cannot hold: control characters and the two last of the first plane.
std::string MarkupLine(absl::string_view line) {
  return absl::StrReplaceAll(Escaped(line), {{"&", "&amp;"},
                                             {"<", "&lt;"},
                                             {">", "&gt;"},
                                             {"\"", "&quot;"},
                                             {"'", "&#39;"},
                                             {"\xef\xbf\xbe", "\\u{fffe}"},
                                             {"\xef\xbf\xbf", "\\u{ffff}"}});
}

std::string MarkupLines(absl::string_view text, absl::string_view line_end) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  return absl::StrJoin(lines, line_end, [](std::string* out, absl::string_view line) { *out += MarkupLine(line); });
}

size_t LongestRun(absl::string_view text, char wanted) {
  size_t longest = 0, run = 0;
  for (const char c : text) {
    run = c == wanted ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

}  // namespace

std::string MarkupText(absl::string_view text) { return MarkupLines(text, "\n"); }

std::string MarkupAttribute(absl::string_view text) { return MarkupLines(text, "&#10;"); }

std::string MarkdownCode(absl::string_view text) {
  const std::string line = Escaped(text);
  // A span ends at as many backticks as it began with; the blanks keep those of the text apart from it.
  const std::string fence(LongestRun(line, '`') + 1, '`');
  const bool apart = line.front() == '`' || line.back() == '`' || line.front() == ' ' || line.back() == ' ';
  const char* const blank = apart ? " " : "";
  return fence + blank + line + blank + fence;
}

std::string MarkdownCell(absl::string_view text) { return absl::StrReplaceAll(MarkdownCode(text), {{"|", "\\|"}}); }

}  // namespace mallocspy

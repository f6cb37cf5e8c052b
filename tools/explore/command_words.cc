#include "tools/explore/command_words.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace mallocspy {

absl::StatusOr<std::vector<std::string>> SplitCommand(absl::string_view line) {
  std::vector<std::string> words;
  bool within = false;  // a word
  char quote = 0;
  for (const char letter : line) {
    if (quote == 0 && absl::ascii_isspace(static_cast<unsigned char>(letter))) {
      within = false;
      continue;
    }
    if (!within && letter == '#') break;
    if (!within) words.emplace_back();
    within = true;
    if (quote == 0 && (letter == '\'' || letter == '"')) {
      quote = letter;
    } else if (letter == quote) {
      quote = 0;
    } else {
      words.back() += letter;
    }
  }
  if (quote != 0) return absl::InvalidArgumentError(absl::StrCat("a ", std::string(1, quote), " is not closed"));
  return words;
}

}  // namespace mallocspy

// A line of the explorer as words.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mallocspy {

// Words between blanks; '...' and "..." keep blanks, also within a word (function='Load(int, int)'). What follows a word that begins
// with "#" is a comment.
absl::StatusOr<std::vector<std::string>> SplitCommand(absl::string_view line);

}  // namespace mallocspy

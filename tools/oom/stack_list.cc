#include "tools/oom/stack_list.h"

#include <fstream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tools/oom/trial.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

// The blank-separated words of each whole line.
absl::StatusOr<std::vector<std::vector<std::string>>> ReadWords(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("the fault spy left no ", Escaped(path)));
  std::vector<std::vector<std::string>> lines;
  std::string line;
  while (std::getline(file, line) && !file.eof()) lines.push_back(absl::StrSplit(line, ' '));
  return lines;
}

absl::Status Unreadable(const std::string& path) {
  return absl::DataLossError(absl::StrCat("the fault spy's ", Escaped(path), " cannot be read"));
}

}  // namespace

absl::StatusOr<std::vector<ListedStack>> ReadStackList(const std::string& path) {
  const auto lines = ReadWords(path);
  if (!lines.ok()) return lines.status();
  std::vector<ListedStack> stacks;
  for (const std::vector<std::string>& words : *lines) {
    ListedStack& stack = stacks.emplace_back();
    if (words.size() != 3 || !IsStackId(words[0]) || !absl::SimpleAtoi(words[1], &stack.node) || !absl::SimpleAtoi(words[2], &stack.bytes)) {
      return Unreadable(path);
    }
    stack.id = words[0];
  }
  return stacks;
}

absl::StatusOr<std::vector<ForkedTrial>> ReadForkedTrials(const std::string& path) {
  const auto lines = ReadWords(path);
  if (!lines.ok()) return lines.status();
  std::vector<ForkedTrial> trials;
  for (const std::vector<std::string>& words : *lines) {
    ForkedTrial& trial = trials.emplace_back();
    int timed_out = 0;
    if (words.size() != 4 || !IsStackId(words[0]) || !absl::SimpleAtoi(words[1], &trial.pid) || !absl::SimpleAtoi(words[2], &trial.wait_status) ||
        !absl::SimpleAtoi(words[3], &timed_out)) {
      return Unreadable(path);
    }
    trial.id = words[0];
    trial.timed_out = timed_out != 0;
  }
  return trials;
}

}  // namespace mallocspy

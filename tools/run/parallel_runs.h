// Programs that run side by side, unseen, each with a time limit.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace mallocspy {

// The standard input of this process, so that each of several programs can read it from where it is now.
class RepeatedInput {
 public:
  // A pipe is read to its end and kept; a terminal, and what cannot be read, is an empty input. So is a pipe in which nothing comes for a few
  // seconds, since somebody may just have left it open: then `*nothing_came` is set.
  static absl::StatusOr<RepeatedInput> FromStandardInput(bool* nothing_came);
  ~RepeatedInput();
  RepeatedInput(RepeatedInput&& other) noexcept;
  RepeatedInput(const RepeatedInput&) = delete;
  RepeatedInput& operator=(const RepeatedInput&) = delete;

  // A descriptor of its own for one reader; -1 with errno.
  int Open() const;

 private:
  explicit RepeatedInput(int descriptor, off_t start) : descriptor_(descriptor), start_(start) {}

  int descriptor_;  // -1: /dev/null
  off_t start_;
};

struct SideRun {
  std::string path;  // of the program
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
};

struct SideRunEnd {
  size_t index = 0;
  pid_t pid = 0;
  int wait_status = 0;
  bool timed_out = false;
  double seconds = 0;
};

// Runs `count` programs, `jobs` at a time, the i-th as make(i) says, each in a process group of its own that is killed when the program has
// ended or this process has. Output and errors of the programs go nowhere, and they leave no core files. A program that takes longer than
// `limit_seconds` gets SIGABRT and, when it does not end of it, SIGKILL. Calls ended() in the order of their ends; false from it starts no
// more. The error says why a program could not be started. In a process with one thread.
absl::Status RunSideBySide(size_t count, size_t jobs, double limit_seconds, const RepeatedInput& input,
                           const std::function<absl::StatusOr<SideRun>(size_t)>& make, const std::function<bool(const SideRunEnd&)>& ended);

}  // namespace mallocspy

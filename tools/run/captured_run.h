// Another program, run to its end with what it writes kept.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace mallocspy {

struct CapturedRun {
  int wait_status = 0;  // as waitpid() gives it
  std::string output;
  std::string error;
};

// Runs `arguments[0]`, a path, with an empty standard input. It and its children have `limit_seconds` until both its
// outputs are closed; then it is killed, which is an error like not being able to start it.
absl::StatusOr<CapturedRun> RunCaptured(const std::vector<std::string>& arguments, int limit_seconds);

}  // namespace mallocspy

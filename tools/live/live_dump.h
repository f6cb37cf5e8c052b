// A snapshot of a running process.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tools/live/live_process.h"
#include "tools/live/live_request.h"

namespace mallocspy {

struct DumpTaken {
  absl::Duration pause;     // for which the process stood still
  uint32_t unanswered = 0;  // threads that did not
  uint64_t next_mark = 0;   // the mark that began with it
  uint64_t bytes = 0;       // of the file
};

// Writes it to `path`, whole or not at all. `progress`, if given, hears of the bytes received so far.
// The error is a sentence.
absl::StatusOr<DumpTaken> TakeDump(const LiveProcess& process, const std::string& path, DumpContent content,
                                   const std::function<void(uint64_t)>& progress = nullptr);

}  // namespace mallocspy

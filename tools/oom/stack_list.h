// What the fault spy tells of a program's allocating stacks (spy/spies/faults.cc): its list of them, and what became of its forked children.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace mallocspy {

struct ListedStack {
  std::string id;
  uint32_t node = 0;   // of the process's ledger
  uint64_t bytes = 0;  // that the first allocation from there asked for
};

// In the order in which they came up. A last line that is cut off is left out.
absl::StatusOr<std::vector<ListedStack>> ReadStackList(const std::string& path);

struct ForkedTrial {
  std::string id;
  pid_t pid = 0;  // of the child in which the allocation failed; 0: none was made, since there were several threads
  int wait_status = 0;
  bool timed_out = false;
};

absl::StatusOr<std::vector<ForkedTrial>> ReadForkedTrials(const std::string& path);

}  // namespace mallocspy

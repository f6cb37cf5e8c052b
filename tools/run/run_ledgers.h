// The ledgers that the processes of one run left in their directory.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tools/run/run_notes.h"
#include "tools/verdict/findings.h"
#include "tools/verdict/frame_namer.h"

namespace mallocspy {

struct RunLedger {
  uint32_t pid = 0;
  uint32_t image = 0;  // 0 is the first program of this process, each exec makes the next one
  std::string path;
};

// The last image of `first_pid` first, then its earlier ones, then the other processes by pid and image. If the first
// process left none, none of its images is there.
std::vector<RunLedger> ListLedgers(const std::string& directory, pid_t first_pid);

// What the run was, for those of its processes that left no ledger.
struct RunDescription {
  pid_t pid = 0;
  int wait_status = 0;
  std::string program;
  std::vector<std::string> arguments;
  bool follow = true;
  RunNotes notes = {};
};

// Findings of the first process, with the others as children. Ledgers that cannot be read are incomplete findings, as
// are children of which only a note tells.
Findings AssessRun(const std::vector<RunLedger>& ledgers, const RunDescription& run, uint64_t most_leaks,
                   FrameNamer* namer);

}  // namespace mallocspy

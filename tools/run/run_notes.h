// What was noted about processes of a run that may have left no ledger; allocator/run_notes.h is the other side.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace mallocspy {

struct RunNote {
  bool spawned = false;    // it was to run `program`; if not, it was forked and became no program
  bool elsewhere = false;  // it became `program`, which another `mallocspy run` records
  std::string program;
  std::string obstacle;  // why its record could not be made; empty if that is not known
};

// By process id.
using RunNotes = std::map<uint32_t, RunNote>;

RunNotes ListRunNotes(const std::string& directory);

}  // namespace mallocspy

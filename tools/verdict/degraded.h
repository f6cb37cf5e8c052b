// What a record lacks, in sentences (without the final stop) that say what it means and what to do.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/reader/snapshot.h"

namespace mallocspy {

// What is known about a process from outside of its ledger.
struct Circumstances {
  std::optional<int> wait_status;  // as waitpid() gave it
  bool still_running = false;
  bool later_image = false;  // another ledger shows what this process became by exec
  bool follow = true;        // exec'ed programs were to be recorded
  bool elsewhere = false;    // what it became is recorded by another `mallocspy run`
  std::string obstacle;      // why what it became could not be recorded; empty if that is not known
};

struct Shortcomings {
  std::vector<std::string> sentences;
  bool unseen = false;       // one of its forked or exec'ed programs was not recorded
  bool unchecked = false;    // see Verdict
  bool interrupted = false;  // likewise
};

Shortcomings FindShortcomings(const Snapshot& snapshot, const Circumstances& circumstances);

}  // namespace mallocspy

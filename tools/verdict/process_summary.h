// One summary over several processes: what the same program leaks in each of a hundred children is there once, with the
// processes in which it was. All reports that show more than one process are made from it.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/verdict/findings.h"

namespace mallocspy {

// The leaks of one id and class.
struct MergedLeak {
  Leak leak;                        // the first one's, with the blocks and bytes of all
  std::vector<const Findings*> in;  // each process once
};

// Heap errors of one kind with the same functions on their stacks.
struct MergedError {
  HeapError error;  // the first one's, with the count of all
  std::vector<const Findings*> in;
};

struct ProcessSummary {
  uint64_t processes = 0;  // by pid: one that called exec is one
  uint64_t judged = 0;
  Status status = Status::kClean;  // the worst: errors before leaks before incomplete

  // Every process is in one of these; the images that exec replaced and of which there is nothing to say in none.
  std::vector<const Findings*> subjects;    // judged and not clean, or unseen: they make the status
  std::vector<const Findings*> unfinished;  // judged children that had not come to their end, which is no fault
  std::vector<const Findings*> replaced;    // judged images that held blocks when exec replaced them
  std::vector<const Findings*> clean;       // judged
  std::vector<const Findings*> not_judged;  // images too

  // Of subjects and clean ones. Lost ones before those that are not known to be, and of the same class the largest
  // first.
  std::vector<MergedLeak> leaks;
  std::vector<MergedLeak> accepted;  // by a suppression or a baseline: in no sum and no verdict
  std::vector<MergedError> errors;
  BlockTotal by_class[5];       // by LeakClass; listed or not
  uint64_t unlisted_leaks = 0;  // those that a process only counts; the same in two processes counts twice
  BlockTotal unlisted;

  const BlockTotal& Of(LeakClass leak_class) const { return by_class[static_cast<size_t>(leak_class)]; }
};

// Holds pointers into `reports`.
ProcessSummary Summarize(const std::vector<Findings>& reports);

// Of these alone, as if all were judged.
ProcessSummary Summarize(const std::vector<const Findings*>& processes);

}  // namespace mallocspy

// Compares leaks by id: two reports with each other, or a report with its baseline.
//
// What counts are three sums for each id: what is surely lost (or of unknown class), that and what is possibly lost,
// and all. So a leak that turns from reachable to lost has grown, while the other way is none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

struct LeakChange {
  enum class Kind { kNew, kGrown, kShrunk, kGone, kSame };
  Kind kind = Kind::kSame;
  BlockTotal before;
  BlockTotal now;
  LeakClass worst_before = LeakClass::kReachable;  // meaningless where there was, or is, none
  LeakClass worst_now = LeakClass::kReachable;
  // kNew and kGrown: the worst class of which there is more; kUnknown counts as kDefinite and is given as that.
  LeakClass worst_grown = LeakClass::kReachable;
  Leak leak;  // one with this id, for its stack: of the new ones, or of the old if it is gone
};

absl::string_view NameOf(LeakChange::Kind kind);

// A change for every id: new, grown, shrunk, gone, same, in this order, and the largest first in each. More blocks or
// more bytes is grown, whatever the other does.
std::vector<LeakChange> DiffLeaks(const std::vector<Leak>& old_leaks, const std::vector<Leak>& new_leaks);

// Sets Leak::baseline of every leak in `reports` and their children that is not suppressed, and the summary of each.
void CompareWithBaseline(const std::vector<Leak>& baseline, const std::string& file, std::vector<Findings>* reports);

}  // namespace mallocspy

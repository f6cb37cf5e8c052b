// What was live, by stack, when live bytes were at their highest: a copy of the stacks' counters, made when live bytes begin to fall from a new
// peak. A process that never falls needs none, since what is live then is the peak.
#pragma once

#include <cstdint>

namespace mallocspy::ledger {

// Before `bytes` are freed that the header's live bytes still count. Makes a copy if these fall so from a peak that no copy is of. To bound what
// that costs, falls by less than a hundredth of the peak do not count, nor do peaks that are hardly higher than the last one that was
// copied: by a hundredth, or by 8 bytes for each counters that a copy sums, the stacks' own and each thread's. With several threads a copy is of
// what they did at about the same moment. Inside an event; no lock, no system call.
void KeepPeakBefore(uint64_t bytes);

}  // namespace mallocspy::ledger

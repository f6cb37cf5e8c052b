// From a snapshot to findings: totals, leaks, errors, and the verdict on them.
#pragma once

#include <cstdint>

#include "tools/reader/snapshot.h"
#include "tools/verdict/degraded.h"
#include "tools/verdict/findings.h"
#include "tools/verdict/frame_namer.h"

namespace mallocspy {

inline constexpr uint64_t kAllLeaks = UINT64_MAX;

// The lost leaks, and of all at most `most_leaks`, get their frames named and are listed; the others are only counted.
// Suppressions need all lost ones, whatever a report shows in the end.
Findings Assess(const Snapshot& snapshot, const Circumstances& circumstances, uint64_t most_leaks, FrameNamer* namer);

}  // namespace mallocspy

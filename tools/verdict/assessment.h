// From a snapshot to findings: totals, leaks, errors, and the verdict on them.
#pragma once

#include <cstdint>

#include "tools/reader/snapshot.h"
#include "tools/verdict/degraded.h"
#include "tools/verdict/findings.h"
#include "tools/verdict/frame_namer.h"

namespace mallocspy {

inline constexpr uint64_t kAllLeaks = UINT64_MAX;

// At most `most_leaks` leaks get their frames named and are listed; the others are only counted.
Findings Assess(const Snapshot& snapshot, const Circumstances& circumstances, uint64_t most_leaks, FrameNamer* namer);

}  // namespace mallocspy

// What a page counts for each stack of one snapshot, and how large its live blocks are.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "spy/heap.h"
#include "tools/page/stack_tree.h"
#include "tools/reader/snapshot.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

// One node and door.
struct StackCounters {
  uint32_t node = 0;  // in the tree
  Door door = Door::kNone;
  uint64_t live_blocks = 0;  // as in Totals: without those inherited over fork
  uint64_t live_bytes = 0;
  uint64_t allocations = 0;
  uint64_t allocated_bytes = 0;
  uint64_t frees = 0;
  uint64_t peak_blocks = 0;  // Snapshot::peak
  uint64_t peak_bytes = 0;
};

// Every stack that counts anything. The sums are those of Assess().
std::vector<StackCounters> CountStacks(const Snapshot& snapshot, FrameNamer* namer, StackTree* tree);

// The same of a report, which knows live blocks only.
std::vector<StackCounters> CountStacks(const std::vector<Leak>& leaks, StackTree* tree);

// Live blocks by size: [0] those of 0 bytes, [i] those of 2^(i-1) to 2^i - 1 bytes.
struct SizeHistogram {
  bool exact = false;  // else each block has the mean size of its stack
  std::array<uint64_t, 65> blocks = {};
  std::array<uint64_t, 65> bytes = {};
};
SizeHistogram CountSizes(const Snapshot& snapshot);

}  // namespace mallocspy

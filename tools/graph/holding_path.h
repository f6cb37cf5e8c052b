// Why is a block alive: the shortest chain of pointers that leads to it from what is no block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tools/graph/object_graph.h"
#include "tools/reader/snapshot.h"

namespace mallocspy {

// A pointer on the way.
struct HoldingStep {
  uint32_t block = 0;   // to which it points: index in Snapshot::blocks
  uint32_t word = 0;    // of the block before; of the first step: 0
  uint32_t offset = 0;  // in `block`, as SnapshotReference::offset
};

struct HoldingPath {
  uint32_t root = 0;               // where it begins: index in Snapshot::roots
  std::vector<HoldingStep> steps;  // the last one's block is what was asked for
};

// At most `most` paths to `block`, the shortest first. They differ in the holder in which they begin or in the block that points to
// `block` itself. None if no root leads to it. Of several pointers from one block to the next, the one to its start, then the first.
std::vector<HoldingPath> FindHoldingPaths(const Snapshot& snapshot, const ObjectGraph& graph, uint32_t block, size_t most = 1);

}  // namespace mallocspy

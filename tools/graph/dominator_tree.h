// Who keeps whom alive: node d dominates block b if every chain of pointers from a root to b goes through d. Then b can be
// freed when d is, and what d dominates, itself included, is what it retains.
//
//   top() -- holders (root_holders.h) -- blocks
//        \-- heads of what no root leads to -- blocks
//
// Every block has a place: above what no root leads to stands a head, a block to which nothing points but what it leads to
// itself; of several such in a cycle, one that the snapshot calls definitely lost.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/graph/object_graph.h"
#include "tools/reader/snapshot.h"

namespace mallocspy {

class DominatorTree {
 public:
  // O(references * log blocks) at most, without recursion; takes about 50 bytes a block while it works and then 20.
  DominatorTree(const Snapshot& snapshot, const ObjectGraph& graph);

  // The node above all others.
  uint32_t top() const { return static_cast<uint32_t>(dominator_.size() - 1); }
  // The nearest one of a block or holder: a node, or top(). Of top() itself: top().
  uint32_t DominatorOf(uint32_t node) const { return dominator_[node]; }
  // What would go with it, itself included.
  uint64_t RetainedBytes(uint32_t node) const { return retained_bytes_[node]; }
  uint32_t RetainedBlocks(uint32_t node) const { return retained_blocks_[node]; }

  // The nodes directly below one, in ascending order. Looks at all of them.
  std::vector<uint32_t> DirectlyBelow(uint32_t node) const;

  // All nodes but top() that can be met, those that dominate before those that they dominate.
  const std::vector<uint32_t>& downwards() const { return downwards_; }

 private:
  std::vector<uint32_t> dominator_;
  std::vector<uint64_t> retained_bytes_;
  std::vector<uint32_t> retained_blocks_;
  std::vector<uint32_t> downwards_;
};

}  // namespace mallocspy

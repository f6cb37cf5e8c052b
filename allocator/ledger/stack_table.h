// Stacks of this process, each stored once: a tree of frames (parent = caller) with a record where an allocating stack ends.
//
// Looking up a known stack takes no lock: an open-addressing index of node numbers, read with acquire loads. A new frame
// is added under the ledger's lock, and a grown index replaces the old one, which stays mapped for readers that still
// hold it. The index is private memory: a forked child inherits a copy that agrees with the ledger it adopts.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "allocator/ledger/ledger.h"

namespace mallocspy::ledger {

class StackTable {
 public:
  // A number for the path from the outermost frame to the one at `site`, whose caller's path is `caller` (0 for none). It says where the
  // index is looked at, and is known without looking: so the places of several frames can be fetched at a time.
  static uint64_t PathOf(uint64_t caller, uint64_t site) {
    const uint64_t h = (caller ^ site) * 0x9e3779b97f4a7c15;
    return h ^ h >> 32;
  }
  void Prefetch(uint64_t path) const {
    const Index* index = index_.load(std::memory_order_acquire);
    if (index != nullptr) __builtin_prefetch(&index->slots[SlotOf(path) & index->mask]);
  }

  // The node of the frame `site` under its caller's node `parent`; 0 if the ledger is full. `path` is the frame's.
  uint32_t Child(uint32_t parent, uint64_t site, uint64_t path) {
    // A stack's frames are mostly made one after the other: then the next node is it, and lies in the same cache line.
    if (parent + 1 < g_ledger.Count(TableId::kNodes)) {
      const Node* next = g_ledger.At<Node>(TableId::kNodes, parent + 1);
      if (next->parent == parent && next->site == site) return parent + 1;
    }
    const uint32_t found = Find(index_.load(std::memory_order_acquire), parent, site, path);
    return found != 0 ? found : AddChild(parent, site, path);
  }

  // The node of the stack whose frames are sites[0] (innermost) .. sites[depth - 1] (outermost); 0 if the ledger is full.
  uint32_t InternNode(const uint64_t* sites, uint32_t depth);

  // The record of a stack that ends at `node` and allocates through `door`; 0 if the ledger is full.
  uint32_t InternStack(uint32_t node, Door door, uint8_t flags, uint32_t depth);

 private:
  struct Index {
    uint32_t mask;
    std::atomic<uint32_t> slots[];  // node numbers, 0 for free
  };

  static uint32_t SlotOf(uint64_t path) { return static_cast<uint32_t>(path * 0xbf58476d1ce4e5b9 >> 32); }
  uint32_t Find(const Index* index, uint32_t parent, uint64_t site, uint64_t path) const;
  uint32_t AddChild(uint32_t parent, uint64_t site, uint64_t path);
  Index* Grow(Index* index);
  static void Insert(Index* index, uint32_t number, uint64_t path);

  std::atomic<Index*> index_{nullptr};
  uint32_t nodes_indexed_ = 0;  // under the ledger's lock
};

extern StackTable g_stacks;

}  // namespace mallocspy::ledger

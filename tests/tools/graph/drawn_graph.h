// Snapshots with a graph that a test draws:
//
//   DrawnGraph graph;
//   const uint32_t list = graph.Block(16), node = graph.Block(24);
//   graph.Root(list);
//   graph.Point(list, 1, node);
//   const ObjectGraph objects(graph.snapshot());
#pragma once

#include <algorithm>
#include <cstdint>
#include <tuple>

#include "tools/reader/snapshot.h"

namespace mallocspy {

class DrawnGraph {
 public:
  DrawnGraph() {
    snapshot_.modules.emplace_back();
    snapshot_.nodes.emplace_back();
    snapshot_.stacks.emplace_back();
    snapshot_.roots.emplace_back();
    snapshot_.types.emplace_back();
    snapshot_.has_graph = true;
    snapshot_.blocks_known = true;
  }

  uint32_t Block(uint64_t size, ledger::Reach reach = ledger::Reach::kUnknown) {
    SnapshotBlock& block = snapshot_.blocks.emplace_back();
    block.address = 0x10000 + 0x1000 * snapshot_.blocks.size();
    block.size = size;
    block.reach = reach;
    return static_cast<uint32_t>(snapshot_.blocks.size() - 1);
  }

  void Point(uint32_t from, uint32_t word, uint32_t to, uint32_t offset = 0) {
    snapshot_.references.push_back({from, to, word, offset});
    ordered_ = false;
  }

  // A word of a kind of its own; the root's index.
  uint32_t Root(uint32_t to, ledger::RootKind kind = ledger::RootKind::kGlobal, uint32_t tid = 0, uint64_t address = 0,
                uint32_t offset = 0) {
    snapshot_.roots.push_back({kind, tid, address});
    const auto root = static_cast<uint32_t>(snapshot_.roots.size() - 1);
    snapshot_.root_references.push_back({root, to, offset});
    return root;
  }

  Snapshot& snapshot() {
    if (!ordered_) {
      std::sort(snapshot_.references.begin(), snapshot_.references.end(),
                [](const SnapshotReference& a, const SnapshotReference& b) { return std::tie(a.from, a.word) < std::tie(b.from, b.word); });
    }
    ordered_ = true;
    return snapshot_;
  }

 private:
  Snapshot snapshot_;
  bool ordered_ = true;
};

}  // namespace mallocspy

// A snapshot with what is found out about it when it is first asked for: names, the graph, dominators.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tools/graph/dominator_tree.h"
#include "tools/graph/making_functions.h"
#include "tools/graph/object_graph.h"
#include "tools/graph/root_holders.h"
#include "tools/graph/type_names.h"
#include "tools/reader/snapshot.h"
#include "tools/verdict/frame_namer.h"

namespace mallocspy {

class ExploredHeap {
 public:
  ExploredHeap(Snapshot snapshot, bool show_progress) : snapshot_(std::move(snapshot)), namer_(show_progress), types_(snapshot_, &namer_), functions_(snapshot_, &namer_) {}
  ExploredHeap(const ExploredHeap&) = delete;
  ExploredHeap& operator=(const ExploredHeap&) = delete;

  const Snapshot& snapshot() const { return snapshot_; }
  FrameNamer& namer() { return namer_; }
  TypeNames& types() { return types_; }
  const RootHolders& holders();
  // Only if the snapshot has a graph (NeedGraph()).
  const ObjectGraph& graph();
  const DominatorTree& tree();

  // What to say where the snapshot lacks what a command needs.
  absl::Status NeedGraph() const;
  absl::Status NeedBlocks() const;

  // The block that begins at `address` or around it; blocks of no bytes have their address.
  std::optional<uint32_t> BlockAt(uint64_t address);

  // The number of the mark at which a block was made.
  uint64_t MarkOf(const SnapshotBlock& block) const { return block.mark + snapshot_.marks_dropped; }

  // Where a stack's blocks come from, in a few words.
  const std::string& FunctionOf(uint32_t stack) { return functions_.Of(stack); }
  // Whether `matches` says so of a function of the stack. Asks until it does.
  bool AnyFunction(uint32_t stack, const std::function<bool(const std::string&)>& matches);

  // The stacks of live blocks, ascending.
  const std::vector<uint32_t>& live_stacks();

 private:
  const Snapshot snapshot_;
  FrameNamer namer_;
  TypeNames types_;
  MakingFunctions functions_;
  std::unique_ptr<RootHolders> holders_;
  std::unique_ptr<ObjectGraph> graph_;
  std::unique_ptr<DominatorTree> tree_;
  std::vector<uint32_t> by_address_;
  std::optional<std::vector<uint32_t>> live_stacks_;
};

}  // namespace mallocspy

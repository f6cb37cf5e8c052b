#include "tools/graph/holding_path.h"

#include <tuple>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

namespace mallocspy {
namespace {

HoldingStep StepBetween(const ObjectGraph& graph, uint32_t from, uint32_t to) {
  const SnapshotReference* best = nullptr;
  for (const SnapshotReference& reference : graph.ReferencesFrom(from)) {
    if (reference.to == to && (best == nullptr || (best->offset != 0 && reference.offset == 0))) best = &reference;
  }
  return {to, best->word, best->offset};
}

// Backwards from the block, in breadth: only what leads to it is looked at.
class Search {
 public:
  Search(const Snapshot& snapshot, const ObjectGraph& graph, uint32_t target, size_t most)
      : snapshot_(snapshot), graph_(graph), target_(target), most_(most) {}

  std::vector<HoldingPath> Run() {
    towards_.emplace(target_, target_);
    queue_.push_back({target_, target_});
    for (size_t i = 0; i < queue_.size() && paths_.size() < most_; ++i) {
      const auto [block, last] = queue_[i];
      TakeRoots(block, last);
      for (const uint32_t from : graph_.ReferrersOf(block)) {
        if (towards_.emplace(from, block).second) queue_.push_back({from, block == target_ ? from : last});
      }
    }
    return std::move(paths_);
  }

 private:
  // Paths that begin at `block`; `last` is the block through which they come to the target, which is `target_` for none.
  void TakeRoots(uint32_t block, uint32_t last) {
    // Of a holder's words, one that holds the block's start.
    for (const bool to_start : {true, false}) {
      for (const uint32_t index : graph_.RootReferencesTo(block)) {
        const SnapshotRootReference& reference = snapshot_.root_references[index];
        if ((reference.offset == 0) != to_start || paths_.size() == most_) continue;
        if (!known_.emplace(graph_.HolderNode(reference.root), last).second) continue;
        HoldingPath& path = paths_.emplace_back();
        path.root = reference.root;
        path.steps.push_back({block, 0, reference.offset});
        for (uint32_t at = block; at != target_;) {
          const uint32_t next = towards_[at];
          path.steps.push_back(StepBetween(graph_, at, next));
          at = next;
        }
      }
    }
  }

  const Snapshot& snapshot_;
  const ObjectGraph& graph_;
  const uint32_t target_;
  const size_t most_;
  absl::flat_hash_map<uint32_t, uint32_t> towards_;           // the next block on the way to the target
  std::vector<std::pair<uint32_t, uint32_t>> queue_;          // a block, and the last one before the target on its way
  absl::flat_hash_set<std::pair<uint32_t, uint32_t>> known_;  // holders and last blocks of the paths
  std::vector<HoldingPath> paths_;
};

}  // namespace

std::vector<HoldingPath> FindHoldingPaths(const Snapshot& snapshot, const ObjectGraph& graph, uint32_t block, size_t most) {
  return Search(snapshot, graph, block, most).Run();
}

}  // namespace mallocspy

// What points to what, both ways:
//
//   holder 0   holder 1 ...        groups of root words (root_holders.h)
//      |          |
//   block 0 -> block 1 ...         in the order of Snapshot::blocks
//
// Blocks and holders are nodes of one graph: block i is node i, holder h is node blocks() + h. Made in linear time; beside
// the snapshot, which it borrows, it takes 4 bytes for each reference and 16 for each block.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "tools/reader/snapshot.h"

namespace mallocspy {

class ObjectGraph {
 public:
  // Every root word is a holder of its own.
  explicit ObjectGraph(const Snapshot& snapshot);
  // `holder_of_root`: for each of Snapshot::roots a number below `holders`.
  ObjectGraph(const Snapshot& snapshot, std::vector<uint32_t> holder_of_root, uint32_t holders);

  uint32_t blocks() const { return blocks_; }
  uint32_t holders() const { return holders_; }
  uint32_t nodes() const { return blocks_ + holders_; }
  bool IsBlock(uint32_t node) const { return node < blocks_; }
  uint32_t HolderNode(uint32_t root) const { return blocks_ + holder_of_root_[root]; }

  absl::Span<const SnapshotReference> ReferencesFrom(uint32_t block) const {
    return absl::MakeConstSpan(snapshot_.references).subspan(from_begin_[block], from_begin_[block + 1] - from_begin_[block]);
  }
  // The blocks that point to `block`, ascending; once for each word.
  absl::Span<const uint32_t> ReferrersOf(uint32_t block) const { return Part(referrers_, to_begin_, block); }
  // Indices in Snapshot::root_references.
  absl::Span<const uint32_t> RootReferencesFrom(uint32_t holder_node) const {
    return Part(of_holder_, holder_begin_, holder_node - blocks_);
  }
  absl::Span<const uint32_t> RootReferencesTo(uint32_t block) const { return Part(roots_to_, roots_to_begin_, block); }

  // Edges that leave a node, and where the `i`-th leads.
  uint32_t OutDegree(uint32_t node) const {
    return IsBlock(node) ? from_begin_[node + 1] - from_begin_[node] : holder_begin_[node - blocks_ + 1] - holder_begin_[node - blocks_];
  }
  uint32_t Successor(uint32_t node, uint32_t i) const {
    return IsBlock(node) ? snapshot_.references[from_begin_[node] + i].to
                         : snapshot_.root_references[of_holder_[holder_begin_[node - blocks_] + i]].to;
  }

  // Calls `see(node)` for each edge that comes to `block`.
  template <typename See>
  void ForEachPredecessor(uint32_t block, See see) const {
    for (const uint32_t index : RootReferencesTo(block)) see(HolderNode(snapshot_.root_references[index].root));
    for (const uint32_t from : ReferrersOf(block)) see(from);
  }

 private:
  static absl::Span<const uint32_t> Part(const std::vector<uint32_t>& all, const std::vector<uint32_t>& begin, uint32_t i) {
    return absl::MakeConstSpan(all).subspan(begin[i], begin[i + 1] - begin[i]);
  }

  const Snapshot& snapshot_;
  const std::vector<uint32_t> holder_of_root_;
  const uint32_t blocks_;
  const uint32_t holders_;
  // The list of item i is the part from begin[i] to begin[i + 1].
  std::vector<uint32_t> from_begin_;  // of Snapshot::references
  std::vector<uint32_t> to_begin_, referrers_;
  std::vector<uint32_t> holder_begin_, of_holder_;
  std::vector<uint32_t> roots_to_begin_, roots_to_;
};

}  // namespace mallocspy

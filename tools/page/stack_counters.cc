#include "tools/page/stack_counters.h"

#include <bit>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "tools/verdict/leak_groups.h"

namespace mallocspy {
namespace {

class Counting {
 public:
  StackCounters& At(uint32_t node, Door door) {
    const auto [place, added] = index_.try_emplace({node, door}, rows_.size());
    if (added) {
      rows_.emplace_back().node = node;
      rows_.back().door = door;
    }
    return rows_[place->second];
  }

  std::vector<StackCounters> Rows() { return std::move(rows_); }

 private:
  std::vector<StackCounters> rows_;
  absl::flat_hash_map<std::pair<uint32_t, Door>, size_t> index_;
};

}  // namespace

std::vector<StackCounters> CountStacks(const Snapshot& snapshot, FrameNamer* namer, StackTree* tree) {
  Counting counting;
  SnapshotNodes nodes(snapshot, namer, tree);
  for (const SnapshotStack& stack : snapshot.stacks) {
    if (stack.allocations == 0 && stack.frees == 0 && stack.peak_blocks == 0) continue;
    StackCounters& row = counting.At(nodes.Node(stack.node), stack.door);
    row.allocations += stack.allocations;
    row.allocated_bytes += stack.allocated_bytes;
    row.frees += stack.frees;
    row.peak_blocks += stack.peak_blocks;
    row.peak_bytes += stack.peak_bytes;
  }
  for (const LeakGroup& group : GroupLiveBlocks(snapshot)) {
    StackCounters& row = counting.At(nodes.Node(group.node), group.door);
    row.live_blocks += group.blocks;
    row.live_bytes += group.bytes;
  }
  return counting.Rows();
}

std::vector<StackCounters> CountStacks(const std::vector<Leak>& leaks, StackTree* tree) {
  Counting counting;
  for (const Leak& leak : leaks) {
    StackCounters& row = counting.At(tree->AddStack(leak.frames), leak.door);
    row.live_blocks += leak.blocks;
    row.live_bytes += leak.bytes;
  }
  return counting.Rows();
}

SizeHistogram CountSizes(const Snapshot& snapshot) {
  SizeHistogram sizes;
  const auto add = [&sizes](uint64_t size, uint64_t blocks, uint64_t bytes) {
    const auto bucket = static_cast<size_t>(std::bit_width(size));
    sizes.blocks[bucket] += blocks;
    sizes.bytes[bucket] += bytes;
  };
  sizes.exact = snapshot.blocks_known;
  if (snapshot.blocks_known) {
    for (const SnapshotBlock& block : snapshot.blocks) {
      const bool size_known = (block.flags & ledger::kBlockHeaderDestroyed) == 0;
      if (IsOwn(snapshot, block) && size_known) add(block.size, 1, block.size);
    }
  } else {
    for (const SnapshotStack& stack : snapshot.stacks) {
      if (stack.live_blocks() != 0)
        add(stack.live_bytes() / stack.live_blocks(), stack.live_blocks(), stack.live_bytes());
    }
  }
  return sizes;
}

}  // namespace mallocspy

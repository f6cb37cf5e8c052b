#include "tools/verdict/leak_groups.h"

#include <algorithm>
#include <tuple>

#include "absl/container/flat_hash_map.h"
#include "tools/verdict/stack_merger.h"

namespace mallocspy {
namespace {

constexpr uint32_t kNoMark = UINT32_MAX;

LeakClass ClassOf(ledger::Reach reach) {
  switch (reach) {
    case ledger::Reach::kUnknown:
      return LeakClass::kUnknown;
    case ledger::Reach::kDefinite:
      return LeakClass::kDefinite;
    case ledger::Reach::kIndirect:
      return LeakClass::kIndirect;
    case ledger::Reach::kPossible:
      return LeakClass::kPossible;
    case ledger::Reach::kReachable:
      return LeakClass::kReachable;
  }
  return LeakClass::kUnknown;
}

// What is surely lost comes first.
int RankOf(LeakClass leak_class) { return leak_class == LeakClass::kUnknown ? -1 : static_cast<int>(leak_class); }

class Grouping {
 public:
  explicit Grouping(const Snapshot& snapshot) : merger_(snapshot) {}

  void Add(const SnapshotStack& stack, LeakClass leak_class, Door door, uint32_t mark, uint32_t root, uint8_t excuses, uint64_t blocks,
           uint64_t bytes) {
    const uint32_t node = merger_.Representative(stack.node);
    const auto [place, added] = index_.try_emplace({leak_class, node, door, excuses}, groups_.size());
    if (added) {
      LeakGroup& group = groups_.emplace_back();
      group.leak_class = leak_class;
      group.node = node;
      group.door = door;
      group.excuses = excuses;
    }
    LeakGroup& group = groups_[place->second];
    if (mark != kNoMark) group.mark = std::min(group.mark.value_or(mark), mark);
    group.truncated |= stack.truncated;
    if (group.root == 0) group.root = root;
    group.blocks += blocks;
    group.bytes += bytes;
  }

  std::vector<LeakGroup> Sorted() {
    std::sort(groups_.begin(), groups_.end(), [this](const LeakGroup& a, const LeakGroup& b) {
      if (a.leak_class != b.leak_class) return RankOf(a.leak_class) < RankOf(b.leak_class);
      if (a.bytes != b.bytes) return a.bytes > b.bytes;
      if (a.blocks != b.blocks) return a.blocks > b.blocks;
      if (a.node != b.node) return merger_.Before(a.node, b.node);
      return std::tie(a.door, a.excuses) < std::tie(b.door, b.excuses);
    });
    return std::move(groups_);
  }

 private:
  StackMerger merger_;
  absl::flat_hash_map<std::tuple<LeakClass, uint32_t, Door, uint8_t>, size_t> index_;
  std::vector<LeakGroup> groups_;
};

// A block whose header was overwritten is known only by its address.
bool HeaderDestroyed(const SnapshotBlock& block) { return (block.flags & ledger::kBlockHeaderDestroyed) != 0; }

}  // namespace

bool IsOwn(const Snapshot& snapshot, const SnapshotBlock& block) {
  if (HeaderDestroyed(block)) return snapshot.origin != ledger::Origin::kFork;  // most likely the parent's
  return block.mark >= snapshot.base_mark;
}

std::vector<LeakGroup> GroupLiveBlocks(const Snapshot& snapshot) {
  Grouping grouping(snapshot);
  if (!snapshot.blocks_known) {
    for (const SnapshotStack& stack : snapshot.stacks) {
      if (stack.live_blocks() == 0) continue;
      grouping.Add(stack, LeakClass::kUnknown, stack.door, kNoMark, 0, 0, stack.live_blocks(), stack.live_bytes());
    }
    return grouping.Sorted();
  }
  for (const SnapshotBlock& block : snapshot.blocks) {
    if (!IsOwn(snapshot, block)) continue;
    if (HeaderDestroyed(block)) {
      grouping.Add(snapshot.stacks[0], ClassOf(block.reach), Door::kNone, kNoMark, block.root, 0, 1, 0);
    } else {
      grouping.Add(snapshot.stacks[block.stack], ClassOf(block.reach), block.door, block.mark, block.root,
                   block.flags & (ledger::kBlockIgnored | ledger::kBlockCache), 1, block.size);
    }
  }
  return grouping.Sorted();
}

}  // namespace mallocspy

#include "tools/verdict/heap_diff.h"

#include <algorithm>
#include <map>
#include <utility>

#include "tools/verdict/stack_merger.h"

namespace mallocspy {
namespace {

struct Amounts {
  BlockTotal made;
  BlockTotal gone;
};

void Add(const SnapshotBlock& block, BlockTotal* total) {
  ++total->blocks;
  total->bytes += block.size;
}

}  // namespace

bool AreDumpsOfOneProcess(const Snapshot& earlier, const Snapshot& later) {
  return earlier.pid == later.pid && earlier.started_ns == later.started_ns && earlier.exe == later.exe && earlier.next_mark != 0 &&
         later.next_mark > earlier.next_mark && earlier.blocks_known && later.blocks_known && earlier.stacks.size() <= later.stacks.size();
}

HeapDiff DiffHeaps(const Snapshot& earlier, const Snapshot& later, FrameNamer* namer) {
  // A process only adds to its stacks: a number means the same in both.
  StackMerger merger(later);
  std::map<std::pair<uint32_t, Door>, Amounts> by_stack;
  const auto amounts = [&](const SnapshotBlock& block) -> Amounts& {
    return by_stack[{merger.Representative(later.stacks[block.stack].node), block.door}];
  };
  HeapDiff diff;
  std::vector<uint64_t> stayed;  // addresses, ascending as the blocks are
  for (const SnapshotBlock& block : later.blocks) {
    if (later.marks_dropped + block.mark < earlier.next_mark && (block.flags & ledger::kBlockHeaderDestroyed) == 0) {
      stayed.push_back(block.address);
      Add(block, &diff.stayed);
    } else {
      Add(block, &amounts(block).made);
      Add(block, &diff.made);
    }
  }
  std::sort(stayed.begin(), stayed.end());
  for (const SnapshotBlock& block : earlier.blocks) {
    if (std::binary_search(stayed.begin(), stayed.end(), block.address)) continue;
    Add(block, &amounts(block).gone);
    Add(block, &diff.gone);
  }
  std::vector<std::pair<std::pair<uint32_t, Door>, Amounts>> changes(by_stack.begin(), by_stack.end());
  std::sort(changes.begin(), changes.end(), [&merger](const auto& a, const auto& b) {
    if (a.second.made.bytes != b.second.made.bytes) return a.second.made.bytes > b.second.made.bytes;
    if (a.second.gone.bytes != b.second.gone.bytes) return a.second.gone.bytes > b.second.gone.bytes;
    if (a.first.first != b.first.first) return merger.Before(a.first.first, b.first.first);
    return a.first.second < b.first.second;
  });
  for (const auto& [key, amount] : changes) {
    diff.changes.push_back({amount.made, amount.gone, key.second, namer->Name(later, key.first)});
  }
  return diff;
}

}  // namespace mallocspy

// Live blocks, grouped: by class, stack and door.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tools/reader/snapshot.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

struct LeakGroup {
  LeakClass leak_class = LeakClass::kUnknown;
  uint32_t node = 0;  // see StackMerger::Representative; 0 if the stack is not known
  Door door = Door::kNone;
  std::optional<uint32_t> mark;  // of the oldest; not known of a destroyed header
  bool truncated = false;
  uint8_t excuses = 0;  // of kBlockIgnored and kBlockCache, those that are true of its blocks
  uint32_t root = 0;  // of the first such block that has one: index in Snapshot::roots
  uint64_t blocks = 0;
  uint64_t bytes = 0;
};

// Whether the blocks of the list count: those inherited over fork are the parent's.
bool IsOwn(const Snapshot& snapshot, const SnapshotBlock& block);

// Largest first, in the same order on every run. From the block list if the process came to its end (without blocks
// inherited over fork), else from the counters of the stacks.
std::vector<LeakGroup> GroupLiveBlocks(const Snapshot& snapshot);

}  // namespace mallocspy

// The live blocks, as the end of the record sees them. All while events are frozen.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/ledger/format.h"

namespace mallocspy {

// The number of live blocks of this process (without those inherited over fork).
uint64_t CountLiveBlocks();

// Makes each stack's counters agree with its live blocks: events that were left in the middle are counted to their end. Not if there is
// no memory to count in.
void SettleCounters();

// Hands every live block to `take`, in one pass; stops when it returns false.
void ForEachBlock(bool (*take)(const ledger::Block& block, void* context), void* context);

// Appends the list to a shared ledger; sets kBlocksUnwritten if there is no room.
void ListBlocksInLedger();

}  // namespace mallocspy

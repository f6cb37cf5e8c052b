// The program's errors about blocks: telling them apart and recording them with the stacks that explain them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/block_header.h"
#include "allocator/ledger/error_table.h"
#include "allocator/thread_state.h"

namespace mallocspy {

// The live block that has `address` inside, or null.
const void* BlockAround(uintptr_t address);

// Records an error about a block. `header` is what its header said, null if it was destroyed. Within `thread`'s event.
void ReportBlockError(ledger::ErrorKind kind, const void* block, const BlockHeader* header, Door used, uint64_t value,
                      ThreadState* thread);

// Records that a spy broke the contract.
void ReportBreach(const char* what, const void* block, size_t bytes, Door door, ThreadState* thread);

// About a pointer that is no live block: true if it is certainly an error of the program (then recorded), false if another
// allocator may own it.
bool JudgeForeign(const void* pointer, Door used, ThreadState* thread);

}  // namespace mallocspy

// The program's errors about blocks: telling them apart and recording them with the stacks that explain them.
#pragma once

#include <ucontext.h>

#include <cstddef>
#include <cstdint>

#include "allocator/block_header.h"
#include "allocator/capture/frame_rule.h"
#include "allocator/guarded_pages.h"
#include "allocator/ledger/error_table.h"
#include "allocator/quarantine.h"
#include "allocator/thread_state.h"

namespace mallocspy {

// The live block that has `address` inside, or null.
const void* BlockAround(uintptr_t address);

// Records an error about a block, and does what on_error says. `header` is what its header said, null if it was destroyed; `freed` is the
// node where it was freed, if that is known. Within `thread`'s event.
void ReportBlockError(ledger::ErrorKind kind, const void* block, const BlockHeader* header, Door used, uint64_t value,
                      ThreadState* thread, uint32_t freed = 0);

// Records an access that was met at its instruction, and does what on_error says. `offset` is that of the byte from the block's start.
void ReportTrap(ledger::ErrorKind kind, const GuardedPages::Place& place, int64_t offset, const ucontext_t& where, ThreadState* thread);

// One block whose surroundings were written over, as somebody who looks at all blocks finds it.
struct Damage {
  ledger::ErrorKind kind;
  const void* block;
  BlockHeader header;  // empty if that was destroyed
  uint64_t value;      // ledger::Error::value
  uint32_t freed;
};

// The damage of a live block of this process, or of one that was freed and kept; false if there is none.
bool FindDamage(const void* block, Damage* damage);
bool FindDamage(const Quarantine::Kept& kept, Damage* damage);

// The same as ReportBlockError(), for damage that a sweep found; `thread` is null at the end of the record.
void ReportDamage(const Damage& damage, ThreadState* thread);

// Records that a spy broke the contract.
void ReportBreach(const char* what, const void* block, size_t bytes, Door door, ThreadState* thread);

// Records that an object's reference was released, at the stack that ends at `node`, of which it had none. Within `thread`'s event.
void ReportReleaseTooMany(const void* object, const char* class_name, uint32_t count, uint32_t node, ThreadState* thread);

// Records that a spy made an allocation of `bytes` fail at the stack that ends at `node`. Not an error: on_error does not concern it.
void ReportInjectedFailure(size_t bytes, uint32_t node, uint32_t tid);

// About a pointer that is no live block: true if it is certainly an error of the program (then recorded), false if another
// allocator may own it.
bool JudgeForeign(const void* pointer, Door used, ThreadState* thread);

}  // namespace mallocspy

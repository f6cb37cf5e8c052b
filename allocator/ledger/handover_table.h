// Which module freed what which module had made, door by door: the ownership of memory across interfaces. Counted with option ownership=1.
#pragma once

#include <cstdint>

#include "allocator/ledger/ledger.h"

namespace mallocspy::ledger {

// A block of `bytes` that `stack` made is freed through `door` by a call that returns to `return_address`. Any thread, inside its event;
// not while the ledger's lock is held.
void NoteHandover(uint32_t stack, Door made, uint64_t bytes, Door freed, uintptr_t return_address);

// In a forked child that has adopted the ledger: it has freed nothing yet.
void ForgetHandovers();

}  // namespace mallocspy::ledger

// A picture of the process: all threads held for a moment, a copy of the process made by a raw clone, and whatever takes long done in that
// copy, while the process goes on. The copy has one thread, its own memory, and no signals; it must not use the heap or libc's locks.
#pragma once

#include <cstdint>

#include "allocator/ledger/format.h"
#include "allocator/snapshot/roots.h"

namespace mallocspy {

// Does `work` in a copy of the process, in which `reach` tells of each live block, and waits until it is done. `self`: where the calling
// thread was. What the work writes to shared memory and files is all that stays of it. Nothing is done where threads cannot be signalled
// or the process cannot be copied; threads that did not answer within the limit are in the ledger's roots, and make the marking partial.
// While events are frozen. True if the work was done and ended well.
enum class Afterwards : bool {
  kEnds,    // events stay frozen
  kGoesOn,  // events go on as soon as there is a copy; the copy's ledger is its own
};
bool WorkInPicture(const ProgramPoint& self, Afterwards afterwards, bool (*work)(void* context), void* context);

// Of the last one: how long the other threads were held, microseconds, and how many of them did not answer.
struct Pause {
  uint32_t us;
  uint32_t unanswered;
};
Pause LastPause();

// Whether this is the copy, and marked.
bool InPicture();

// In the copy: what is known of the live block at `address`; all zero where nothing is.
struct BlockReach {
  ledger::Reach reach;
  uint32_t holder;  // of a reachable or possible block: a ledger::Root
  bool cache;       // see NoteLibraryCaches()
};
BlockReach ReachOf(uintptr_t address);

// In the copy, in the work: finds out which blocks libc and libstdc++ keep for themselves. Closes all descriptors but standard error and
// `kept_fd` (-1: none).
void NoteLibraryCaches(int kept_fd);

}  // namespace mallocspy

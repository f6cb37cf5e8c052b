// A picture of the process: all threads held for a moment, a copy of the process made by a raw clone, and whatever takes long done in that
// copy, while the process goes on. The copy has one thread, its own memory, and no signals; it must not use the heap or libc's locks.
#pragma once

#include <cstdint>

#include "allocator/ledger/format.h"
#include "allocator/snapshot/memory_map.h"
#include "allocator/snapshot/reachability.h"
#include "allocator/snapshot/roots.h"

namespace mallocspy {

enum class Afterwards : uint8_t {
  kEnds,      // events stay frozen
  kGoesOn,    // events go on as soon as there is a copy; the copy's ledger is its own
  kGoesAlone  // the same, and nobody waits for the copy's end: it is the child of none of this program's processes
};

struct PictureTask {
  Afterwards afterwards;
  bool (*work)(void* context);  // in the copy; false: it did not end well
  void* context;
  bool graph = false;                       // what points to what is kept: WriteSnapshot() with Content::graph
  void (*held)(void* context) = nullptr;  // in the process, while all threads are held, before there is a copy
};

// Does the work in a copy of the process, in which `reach` tells of each live block, and waits until it is done. `self`: where the calling
// thread was. What the work writes to shared memory and files is all that stays of it. Nothing is done where threads cannot be signalled
// or the process cannot be copied; threads that did not answer within the limit are in the ledger's roots, and make the marking partial.
// While events are frozen. True if the work was done and ended well; of a copy that goes alone, if there is one.
bool WorkInPicture(const ProgramPoint& self, const PictureTask& task);

// Of the last one: how long the other threads were held, microseconds, and how many of them did not answer.
struct Pause {
  uint32_t us;
  uint32_t unanswered;
  uint64_t released_us;  // when it was over, CLOCK_MONOTONIC
  uint32_t copy;         // that goes alone; 0 for none
};
Pause LastPause();

// Whether this is the copy, and marked.
bool InPicture();

// In the copy: all that was found; null elsewhere.
struct Picture {
  const Reachability* blocks;
  const MemoryMap* map;
};
const Picture* ThePicture();

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

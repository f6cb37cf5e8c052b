// Where marking begins: all memory that the program can write to, but for its heap, dead parts of stacks and what is the recorder's own.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/snapshot/memory_map.h"
#include "allocator/snapshot/reachability.h"
#include "allocator/snapshot/stopped_threads.h"

namespace mallocspy {

// What the calling thread was doing when it came into the recorder: what lies below `sp` on its stack is not the program's.
struct ProgramPoint {
  uint32_t tid;
  uintptr_t sp;
  uintptr_t registers;  // where its registers are kept, and how many bytes of them; may be 0
  uintptr_t registers_bytes;
};

// Learns how far below its control block a thread's static thread-local storage reaches. Asks the loader, so not while anything is held
// still: whoever has the loader's lock may wait for that.
void NoteStaticTls();

// Marks from every root. False without memory, or if it is not known which memory is the recorder's own; then marks are not to be believed.
// Nothing else runs in the process.
bool MarkFromRoots(const MemoryMap& map, const StoppedThreads& threads, const ProgramPoint& self, Reachability* blocks);

}  // namespace mallocspy

// Marks: numbered moments. Each block carries the mark that was current when it was made.
//
// A header has 16 bits for it. When they are used up, all headers are renumbered: blocks from before the last half of the marks can no
// longer be told from each other, which nobody asks for.
#pragma once

#include <cstdint>

namespace mallocspy {

// Begins a new mark and returns its number: blocks made from now on carry it, or a later one. 0 if this process has no record. Any
// thread; from a signal handler only if that interrupted neither an event nor a reading turn of its thread. One with a name (null: none) is
// listed in the ledger.
uint64_t BeginMark(const char* name = nullptr);

// The same for whoever has the reading turn and holds all events still. They stay so.
uint64_t BeginMarkFrozen();

// The mark that blocks get now: 1 until the program begins one. Any thread.
uint64_t CurrentMark();

// The lowest mark, as headers have it, of the blocks made since `mark`; above any header's if that is yet to come. Of mark 0: all of this
// process's own blocks.
uint32_t HeaderMarkSince(uint64_t mark);

}  // namespace mallocspy

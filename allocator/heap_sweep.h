// A look at every block: header and guard of those that live, all of those that were freed and are kept.
#pragma once

#include "allocator/heap_check.h"
#include "spy/door_frame.h"

namespace mallocspy {

// Records what is found, at the end of the record and while events are frozen.
void CheckAllBlocks();

// The same of the running process, for the call at `frame`: a mallocspy_heap_status. Not from a signal handler.
int SweepHeap(const DoorFrame* frame);

// Sweeps at each N-th call of the process (check_every=N), outside of any event.
void SweepWhenDue(const DoorFrame* frame);

}  // namespace mallocspy

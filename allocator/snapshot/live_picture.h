// A picture of a process that goes on: what every check and dump of one begins with.
#pragma once

#include <cstdint>

#include "allocator/snapshot/picture.h"

namespace mallocspy {

// Holds all events still, and does the task in a copy of the process as it is now (WorkInPicture). Takes the reading turn. 0 or an errno value:
// EDEADLK, ENODATA, ENOSYS, EAGAIN as mallocspy_check_leaks() has them. Not for kEnds.
int WorkInLivePicture(const ProgramPoint& self, const PictureTask& task);

// In the copy: makes its ledger that of a picture, whose counters agree with its blocks. `next_mark`: the mark that began with it, or 0.
void CompletePicture(uint64_t next_mark);

}  // namespace mallocspy

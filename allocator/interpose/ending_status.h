// The exit handlers that the library registers before any other, so that they run after all others, and what they need
// to know.
#pragma once

#include "allocator/snapshot/roots.h"

namespace mallocspy {

// Where exit() was called, before its handlers run.
void NoteExit(const ProgramPoint& point);

// quick_exit() tells its handlers nothing.
void NoteQuickExit(int status);

// Registers with exit() and quick_exit(). From the library's constructor, before the program's start registers anything:
// handlers run in reverse, so ours see what static destructors freed.
void WatchExit();

}  // namespace mallocspy

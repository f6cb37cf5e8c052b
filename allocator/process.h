// The record of this process as a whole: how it starts, how a forked child takes it over.
//
// The first event starts it, wherever that comes from: the dynamic loader calls malloc before any constructor. A forked child
// starts again at its own first event.
#pragma once

#include <cstdint>

#include "allocator/options.h"
#include "spy/heap.h"

namespace mallocspy {

// True when events can be recorded; false while another call on this thread is just about to make that so. Called by the gate.
bool EnsureStarted();

// The options in force; valid after the start.
const Options& ProcessOptions();

// What each event asks of them, and the marks.
struct Settings {
  bool records_all = true;  // record=all
  bool guards = true;
  bool watches_allocations = false;  // some option wants more of each allocation than the fast path does; set before there are threads' states
  bool samples_allocations = false;  // ... of some, see ThreadState::quick_left
  bool watches_frees = false;        // ... of a free
  bool checks_captures = false;
  bool notes_handovers = false;  // ownership=1
  bool fills = false;
  bool keeps_freed = false;  // quarantine_mb
  bool guards_pages = false;  // page_guard
  uint64_t check_every = 0;
  uint16_t mark = 1;       // that new blocks carry
  uint16_t base_mark = 1;  // the lowest one of this process's own blocks
  bool has_ceiling = false;   // of what may be live: ceiling.h
  bool fork_goes_on = false;  // the next fork's child has its parent's blocks as its own
  uint64_t marks_dropped = 0;  // marks are numbered on, headers cannot: see marks.h
};
extern Settings g_settings;

// Whether blocks of that door are recorded.
inline bool IsRecorded(Door door) { return g_settings.records_all || door == Door::kTask; }

// The directory in which `mallocspy run` collects ledgers; null without it.
const char* RunDirectory();

// Whether this address space is the recorded process's own view: false in a vfork child, which shares the memory and must
// not speak for its parent.
bool IsRecordedProcess();

// Whether this process's record is somebody's to see: false in a forked child with follow=none.
bool IsReported();

}  // namespace mallocspy

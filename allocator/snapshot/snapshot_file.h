// A snapshot of a private ledger, written to a descriptor in the ledger's own format.
#pragma once

#include "allocator/snapshot/roots.h"

namespace mallocspy {

// Writes ledger and live blocks to `fd` (seekable). False when the file system is full or refuses; the reason is the negated
// errno in `error`. While events are frozen.
bool WriteSnapshot(int fd, long* error);

// Keeps and reports what a process without `mallocspy run` recorded, as the options say. `self`: where the calling thread was. While events
// are frozen.
void SaveAndReport(const ProgramPoint& self);

}  // namespace mallocspy

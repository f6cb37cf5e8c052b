// A snapshot of a private ledger, written to a descriptor in the ledger's own format.
#pragma once

#include "allocator/snapshot/roots.h"

namespace mallocspy {

// Writes the ledger and the live blocks with that mark or a later one to `fd` (seekable). False when the file system is full or refuses; the reason is the negated
// errno in `error`. While events are frozen.
bool WriteSnapshot(int fd, uint32_t lowest_mark, long* error);

// Keeps and reports what a process without `mallocspy run` recorded, as the options say. `self`: where the calling thread was; `exits`: it
// ends in order. While events are frozen.
void SaveAndReport(const ProgramPoint& self, bool exits);

}  // namespace mallocspy

// A snapshot: the ledger and its lists, written in the ledger's own format.
#pragma once

#include "allocator/snapshot/roots.h"
#include "allocator/snapshot/snapshot_sink.h"
#include "allocator/snapshot/written_lists.h"

namespace mallocspy {

// Writes the ledger and the live blocks with that mark or a later one. False when there is no memory, or `sink` failed. While events are frozen.
bool WriteSnapshot(SnapshotSink* sink, uint32_t lowest_mark, Content content = {});

// Keeps and reports what a process without `mallocspy run` recorded, as the options say. `self`: where the calling thread was; `exits`: it
// ends in order. While events are frozen.
void SaveAndReport(const ProgramPoint& self, bool exits);

}  // namespace mallocspy

// What became of a process's heap between two dumps of it, block by block.
//
// Each dump begins a mark. So of the blocks in the later one those with that mark, or a later one, were made in between, and of the blocks
// in the earlier one those that the later one lacks are gone; what has been resized is both. Exact, however often an address was used again.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/reader/snapshot.h"
#include "tools/verdict/findings.h"
#include "tools/verdict/frame_namer.h"

namespace mallocspy {

// Of one stack and door.
struct HeapChange {
  BlockTotal made;  // since the earlier dump, and still live
  BlockTotal gone;  // live at the earlier dump
  Door door = Door::kNone;
  std::vector<Frame> frames;
};

struct HeapDiff {
  BlockTotal made;
  BlockTotal gone;
  BlockTotal stayed;
  std::vector<HeapChange> changes;  // most bytes made first, then most bytes gone
};

// Whether both are dumps of one process, `later` the later one.
bool AreDumpsOfOneProcess(const Snapshot& earlier, const Snapshot& later);

// Of two such dumps.
HeapDiff DiffHeaps(const Snapshot& earlier, const Snapshot& later, FrameNamer* namer);

}  // namespace mallocspy

// Chrome's .heapsnapshot, for the memory panel of its DevTools: blocks as nodes, references as edges, stacks as allocation traces. Without
// blocks a node stands for all live ones of a stack. Written as it is made: what is held is a few bytes for each block.
#pragma once

#include "tools/export/byte_sink.h"
#include "tools/export/named_stacks.h"

namespace mallocspy {

void WriteHeapsnapshot(const NamedStacks& stacks, FrameNamer* namer, ByteSink* sink);

}  // namespace mallocspy

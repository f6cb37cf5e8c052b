// The file of Valgrind's Massif, for ms_print and massif-visualizer: the start, the heap's largest size (without what it consisted of, and
// of unknown time), and what is live in the end as a tree, its leaves the callers.
#pragma once

#include "tools/export/byte_sink.h"
#include "tools/export/named_stacks.h"

namespace mallocspy {

void WriteMassif(const NamedStacks& stacks, ByteSink* sink);

}  // namespace mallocspy

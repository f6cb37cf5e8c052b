// Folded stacks, as flamegraph.pl and its kin read them: "main;Load;Parse 4096", outermost function first.
#pragma once

#include "tools/export/byte_sink.h"
#include "tools/export/named_stacks.h"

namespace mallocspy {

// A line for each distinct list of functions whose `value` is not 0, in the order of the text.
void WriteFolded(const NamedStacks& stacks, uint64_t StackCounts::*value, ByteSink* sink);

}  // namespace mallocspy

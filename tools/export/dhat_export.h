// The file of Valgrind's DHAT, version 2, for its viewer dh_view.html.
//
// Known of each stack: the total, and what is live in the end. Not known: lifetimes (0), the stack's own maximum (what is live in the end
// stands for it, being the least that it can be), and what was live when the whole heap was largest (0, unless that is the end).
#pragma once

#include "tools/export/byte_sink.h"
#include "tools/export/named_stacks.h"

namespace mallocspy {

void WriteDhat(const NamedStacks& stacks, ByteSink* sink);

}  // namespace mallocspy

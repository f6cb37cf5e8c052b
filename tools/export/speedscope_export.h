// The file format of speedscope (https://www.speedscope.app): one profile each for live and allocated bytes and blocks.
#pragma once

#include "tools/export/byte_sink.h"
#include "tools/export/named_stacks.h"

namespace mallocspy {

void WriteSpeedscope(const NamedStacks& stacks, ByteSink* sink);

}  // namespace mallocspy

// Stacks as text, in the shape that sanitizers print and tools read:
//
//     #0 0x55d0c8a3b1f9 in make_node tree.c:31:12
//     #1 0x7f3a1c02724a in __libc_start_call_main (/usr/lib/libc.so.6+0x2724a) (BuildId: 51657f818beb1ae7)
//     #2 0x7f3a1c044321 (/usr/lib/libfoo.so.1+0x4321)
#pragma once

#include <string>
#include <vector>

#include "tools/verdict/findings.h"

namespace mallocspy {

// Four blanks, the frame and no line end. `number` counts inlined functions too.
std::string FrameText(size_t number, const Frame& frame);

// A line for each frame; one that says so if there is none.
void AppendStack(const std::vector<Frame>& frames, std::string* text);

}  // namespace mallocspy

// A frame, and a stack, in a line for people.
#pragma once

#include <string>
#include <vector>

#include "tools/verdict/findings.h"

namespace mallocspy {

// "function", or "module+0x10", or "0x4010": of any content.
std::string FrameName(const Frame& frame);

// "Load < Open < main": from the innermost frame on that is none of the system's libraries, four at most; "(not known)" without any.
std::string StackLine(const std::vector<Frame>& frames);

}  // namespace mallocspy

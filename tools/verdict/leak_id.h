// Names a leak by what its stack is called rather than by where it lies: 16 hexadecimal digits that stay the same over
// rebuilds, moved lines and other load addresses. Two stacks through the same functions share an id, whatever
// they pass inside of the C library and the loader. A function without a name (of a stripped module) goes by its offset
// in the module, which lives as long as that build.
#pragma once

#include <string>
#include <vector>

#include "tools/verdict/findings.h"

namespace mallocspy {

std::string LeakId(Door door, const std::vector<Frame>& frames);

}  // namespace mallocspy

// Which stacks `oom --within` chooses.
#pragma once

#include <string>
#include <vector>

#include "tools/verdict/findings.h"

namespace mallocspy {

// Whether a function or module of this name is on the stack: "Grow", "Buffer::Grow", "libparser", "libparser.so" or a path. Inlined
// functions count. Parameters and template arguments belong to no name.
bool IsOnStack(const std::string& name, const std::vector<Frame>& frames);

}  // namespace mallocspy

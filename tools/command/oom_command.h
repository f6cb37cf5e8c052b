// mallocspy oom: fails allocations on purpose, one call stack after another.
#pragma once

#include <string>
#include <vector>

namespace mallocspy {

// `arguments` are those behind "oom". Returns the exit status.
int OomCommand(const std::vector<std::string>& arguments);

}  // namespace mallocspy

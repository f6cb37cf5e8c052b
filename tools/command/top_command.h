// `mallocspy top`.
#pragma once

#include <string>
#include <vector>

namespace mallocspy {

// The exit status.
int TopCommand(const std::vector<std::string>& arguments);
std::string TopHelp();

}  // namespace mallocspy

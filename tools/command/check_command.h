// `mallocspy check`.
#pragma once

#include <string>
#include <vector>

namespace mallocspy {

// The exit status.
int CheckCommand(const std::vector<std::string>& arguments);
std::string CheckHelp();

}  // namespace mallocspy

// `mallocspy mark`.
#pragma once

#include <string>
#include <vector>

namespace mallocspy {

// The exit status.
int MarkCommand(const std::vector<std::string>& arguments);
std::string MarkHelp();

}  // namespace mallocspy

// `mallocspy dump`.
#pragma once

#include <string>
#include <vector>

namespace mallocspy {

// The exit status.
int DumpCommand(const std::vector<std::string>& arguments);
std::string DumpHelp();

}  // namespace mallocspy

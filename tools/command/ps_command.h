// `mallocspy ps`.
#pragma once

#include <string>
#include <vector>

namespace mallocspy {

// The exit status.
int PsCommand(const std::vector<std::string>& arguments);
std::string PsHelp();

}  // namespace mallocspy

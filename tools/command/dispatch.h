// The command line's first word.
#pragma once

#include <string>
#include <vector>

namespace mallocspy {

// Carries out `mallocspy ARGUMENTS...`. The exit status.
int Dispatch(const std::vector<std::string>& arguments);

}  // namespace mallocspy

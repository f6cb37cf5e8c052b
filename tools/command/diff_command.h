// `mallocspy diff OLD NEW`
#pragma once

#include <string>
#include <vector>

namespace mallocspy {

// `arguments` are those behind "diff". The exit status.
int DiffCommand(const std::vector<std::string>& arguments);

}  // namespace mallocspy

// The names in a directory.
#pragma once

#include <string>
#include <vector>

namespace mallocspy {

// Sorted, without "." and ".."; empty if it cannot be read.
std::vector<std::string> ListDirectory(const std::string& directory);

}  // namespace mallocspy

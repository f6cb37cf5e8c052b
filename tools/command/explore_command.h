// `mallocspy explore FILE [COMMAND...]`: questions about a snapshot.
#pragma once

#include <string>
#include <vector>

namespace mallocspy {

int ExploreCommand(const std::vector<std::string>& arguments);
std::string ExploreCommandHelp();

}  // namespace mallocspy

// mallocspy export: a snapshot in the format of another tool.
#pragma once

#include <string>
#include <vector>

namespace mallocspy {

// `arguments`: those behind "export". The exit status.
int ExportCommand(const std::vector<std::string>& arguments);

std::string ExportHelp();

}  // namespace mallocspy

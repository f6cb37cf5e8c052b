// `mallocspy report FILE...`
#pragma once

#include <string>
#include <vector>

namespace mallocspy {

// `arguments` are those behind "report". The exit status.
int ReportCommand(const std::vector<std::string>& arguments);

}  // namespace mallocspy

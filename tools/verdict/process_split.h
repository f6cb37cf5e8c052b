// A run taken apart again: a report for each process, for files that are named by the pid.
#pragma once

#include <vector>

#include "tools/verdict/findings.h"

namespace mallocspy {

// In the order of `reports`. Each holds the last image of one process, with its earlier images as children.
std::vector<Findings> SplitByProcess(const std::vector<Findings>& reports);

}  // namespace mallocspy

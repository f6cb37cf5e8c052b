// Leaks that suppressions or a baseline accept leave the list, the sums and the verdict.
#pragma once

#include <vector>

#include "tools/verdict/findings.h"

namespace mallocspy {

// Moves the accepted ones of `reports` and their children from `leaks` to `accepted`.
void SetAsideAccepted(std::vector<Findings>* reports);

}  // namespace mallocspy

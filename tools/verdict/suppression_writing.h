// Suppressions for what was found, as text that suppression_file.h, and Valgrind, read.
#pragma once

#include <string>
#include <vector>

#include "tools/verdict/fail_on.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

// An entry for every stack of a leak that is not accepted, over all processes together: its functions, kinds, and as
// ceilings its blocks and bytes. Read back, they silence the same findings and nothing more of them. Of what is still
// reachable only if `fail_on` asks for it, and nothing of what exec replaced.
std::string SuppressionsFor(const std::vector<Findings>& reports, const FailOn& fail_on);

}  // namespace mallocspy

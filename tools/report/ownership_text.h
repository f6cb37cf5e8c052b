// Which module freed what which module had made, as a table.
#pragma once

#include <string>
#include <vector>

#include "tools/verdict/findings.h"

namespace mallocspy {

// Of each process of which it was recorded; if of none, a sentence that says how to record it. Escaped.
std::string OwnershipText(const std::vector<Findings>& reports);

}  // namespace mallocspy

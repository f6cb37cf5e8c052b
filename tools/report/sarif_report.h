// The report in the Static Analysis Results Interchange Format, version 2.1.0 (OASIS), for code scanning and editors.
//
// One run. Each process is one of its invocations, with its exit and, as notifications, what made the check incomplete;
// each heap error and leak of the programs that are judged is a result, with its stacks, of the rule of its
// kind; what several processes share is one. Names of the program under test stand
// where the format takes them for data; messages, in which viewers see links and placeholders, hold none.
#pragma once

#include <string>
#include <vector>

#include "tools/report/source_root.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

// Files below `root` are named relative to %SRCROOT%, all others by absolute URI.
std::string SarifReport(const std::vector<Findings>& reports, SourceRoot* root);

}  // namespace mallocspy

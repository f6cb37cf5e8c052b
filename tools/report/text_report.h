// The report for people, and for tools that know LeakSanitizer's shape: the answer first, then heap errors, leaks and
// the receipt.
#pragma once

#include <string>

#include "tools/report/palette.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

// The verdict on one process in a sentence: "leaks: prog (pid 42) had 5 blocks (89 bytes) live at the end". Escaped.
std::string Answer(const Findings& findings);

// Findings of one process and its children: those with leaks or errors after it, the clean ones in one line.
std::string TextReport(const Findings& findings, const Palette& palette);

}  // namespace mallocspy

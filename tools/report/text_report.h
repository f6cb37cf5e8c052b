// The report for people, and for tools that know LeakSanitizer's shape: the answer first, then heap errors, leaks and
// the receipt.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/report/palette.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

// The verdict on one process in a sentence: "leaks: prog (pid 42) had 5 blocks (89 bytes) live at the end". Escaped.
std::string Answer(const Findings& findings);

// Of one process with findings all is told; of several, what they share once, with at most `most_leaks` leaks. Clean
// processes and those that are not judged are a line each.
std::string TextReport(const std::vector<Findings>& reports, const Palette& palette, uint64_t most_leaks);
std::string TextReport(const Findings& findings, const Palette& palette);

}  // namespace mallocspy

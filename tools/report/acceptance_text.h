// What became of suppressions and baseline, in words.
#pragma once

#include <string>
#include <vector>

#include "tools/verdict/findings.h"

namespace mallocspy {

// "3 known from the baseline, 1 suppressed": leaks of a process that count no more, without what is still reachable;
// empty if there are none.
std::string AcceptedText(const Findings& findings);

// "suppressed by NAME: REASON", "known from the baseline": why a leak is accepted; empty if it is not.
std::string WhyAccepted(const Leak& leak);

// Sentences, escaped and with their full stops, on each suppression that did something or should be looked at, and on
// the baseline. `first` is the first process of the report.
std::vector<std::string> AcceptanceSentences(const Findings& first);

}  // namespace mallocspy

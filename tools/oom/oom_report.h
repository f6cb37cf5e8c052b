// What `oom` found out, as text, JSON and JUnit's XML.
//
// JSON, schema mallocspy-oom/1:
//   program arguments[] baseline{}  summary{stacks chosen tried, a number for each outcome}  notes[]
//   outcomes[]  outcome: handled|crashed|hung|leaked|misused|unreached   stack bytes door frames[]  exit_code signal struck[] ...  repeat
#pragma once

#include <cstdint>
#include <string>

#include "tools/oom/trial.h"
#include "tools/report/junit_report.h"
#include "tools/report/palette.h"

namespace mallocspy {

// "212 of 212 allocating call stacks of jq tried: 205 handled, 5 crashed, 2 leaked".
std::string OomAnswer(const Campaign& campaign);

std::string OomText(const Campaign& campaign, const Palette& palette);
std::string OomJson(const Campaign& campaign);
std::string OomJunit(const Campaign& campaign, const JunitStamp& stamp);

// The worst outcome of all.
Outcome WorstOutcome(const Campaign& campaign);

}  // namespace mallocspy

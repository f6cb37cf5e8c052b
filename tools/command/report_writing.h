// The last step of `run` and `report`: the findings, in the format and to the place that were asked for.
#pragma once

#include <vector>

#include "tools/command/settings.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

// One text report after the other; or one JSON document, in which the others are children of the first. False, after a
// line on standard error that says what is missing, if it could not be written. `findings` is not empty.
bool WriteReport(Command command, const Settings& settings, std::vector<Findings> findings);

}  // namespace mallocspy

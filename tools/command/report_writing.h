// The last step of `run` and `report`: the findings, in the formats and to the places that were asked for.
#pragma once

#include <vector>

#include "tools/command/settings.h"
#include "tools/page/page_data.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

// One document of all processes, in JSON with the others as children of the first; with %p in an output's name one for
// each process.
// False, after a line on standard error for each report that is missing, if not all could be written. `findings` is not
// empty. The snapshots are for the page only, which shows all stacks.
bool WriteReport(Command command, const Settings& settings, std::vector<Findings> findings, const PageSource& page);

}  // namespace mallocspy

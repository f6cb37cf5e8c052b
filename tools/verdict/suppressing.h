// Applies suppressions to the findings of all processes of a report.
#pragma once

#include <vector>

#include "absl/time/civil_time.h"
#include "tools/verdict/findings.h"
#include "tools/verdict/suppression.h"

namespace mallocspy {

// Names the suppression in each leak that one accepts, and tells what became of each suppression (but of built-in ones
// that matched nothing). The first that matches and still applies counts. Ceilings are for all processes together; a
// suppression that meets more than its ceiling suppresses nothing. Where every definite leak of a process is
// suppressed, the indirect ones, to which only those lead, are suppressed with them.
std::vector<SuppressionUse> Suppress(const std::vector<Suppression>& suppressions, absl::CivilDay today,
                                     std::vector<Findings>* reports);

}  // namespace mallocspy

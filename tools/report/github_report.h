// The report as workflow commands of GitHub Actions: lines that become annotations of the sources.
#pragma once

#include <string>
#include <vector>

#include "tools/report/source_root.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

// An annotation for each check that is incomplete, each heap error and each leak of the programs that are judged, those
// of several processes in one; at most ten, which is what GitHub
// shows of one step; a notice tells how many more there are, or that all is clean. They stand at the innermost frame
// below `root`.
std::string GithubReport(const std::vector<Findings>& reports, SourceRoot* root);

}  // namespace mallocspy

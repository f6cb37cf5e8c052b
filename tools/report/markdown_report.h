// The report in GitHub's Markdown, for the summary of a CI job: the verdict first, then tables, with stacks folded.
#pragma once

#include <string>
#include <vector>

#include "tools/report/source_root.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

// Processes that are clean or not judged are counted; what the others share is there once. Names are code spans or text
// of an HTML element, so that nothing in them is markup.
std::string MarkdownReport(const std::vector<Findings>& reports, SourceRoot* root);

}  // namespace mallocspy

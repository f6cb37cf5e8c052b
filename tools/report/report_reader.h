// Reads leaks back from a JSON report (json_report.h), which may be cut off, foreign or hostile.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

// The leaks of all processes that were not suppressed. The error is one sentence that names `path`.
absl::StatusOr<std::vector<Leak>> LeaksOfJsonReport(absl::string_view text, const std::string& path);

}  // namespace mallocspy

// The leaks of a file that a user names to compare with: a snapshot or a JSON report.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

// All but suppressed ones. The error is one sentence, escaped, that names the file.
absl::StatusOr<std::vector<Leak>> ReadLeaks(const std::string& path);

}  // namespace mallocspy

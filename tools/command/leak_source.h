// The leaks of a file that a user names to compare with: a snapshot or a JSON report.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/reader/snapshot.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

struct LeakSource {
  std::vector<Leak> leaks;           // all but suppressed ones
  std::optional<Snapshot> snapshot;  // not of a report
};

// The error is one sentence, escaped, that names the file.
absl::StatusOr<LeakSource> ReadLeakSource(const std::string& path);
absl::StatusOr<std::vector<Leak>> ReadLeaks(const std::string& path);

}  // namespace mallocspy

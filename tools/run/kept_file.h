// Copies of ledgers that outlive the run (--keep).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tools/run/run_ledgers.h"

namespace mallocspy {

// Copies the used part of the ledger at `from` to `to`: readable by its owner only, whole or not at all; replaces an
// old file, but nothing that is no file.
absl::Status KeepLedger(const std::string& from, const std::string& to);

// Where to keep `ledger`, of which `first` is the run's first: `pattern` with its pid for %p. Without %p only the first
// has that name and the others get ".PID" before the ".mspy"; images that were replaced by exec also get ".IMAGE".
std::string KeptName(absl::string_view pattern, const RunLedger& ledger, const RunLedger& first);

// Keeps all of them. The error names those that could not be kept.
absl::Status KeepLedgers(absl::string_view pattern, const std::vector<RunLedger>& ledgers);

}  // namespace mallocspy

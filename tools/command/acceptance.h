// What of a report's leaks is accepted: suppressions and a baseline, from the command line to the findings.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/command/settings.h"
#include "tools/verdict/findings.h"
#include "tools/verdict/suppression.h"

namespace mallocspy {

class Acceptance {
 public:
  // Reads the files that `settings` names; before a program is run. The error is a sentence for the user.
  static absl::StatusOr<Acceptance> Read(const Settings& settings);

  // How many leaks, beside the lost ones, must have names before Apply().
  uint64_t leaks_to_name() const;

  // Sets aside what is accepted. False if suggested suppressions could not be written, which a line on standard error
  // says.
  bool Apply(Command command, std::vector<Findings>* reports) const;

  // `status`, or kExitStale where it is 0 and --strict-suppressions met a suppression that is no use any more.
  int Strict(int status, const std::vector<SuppressionUse>& uses) const;

 private:
  // Those of the command line, and what the programs bring themselves.
  std::vector<Suppression> WithPrograms(const std::vector<Findings>& reports) const;
  bool WriteSuppressions(Command command, const std::vector<Findings>& reports) const;

  Settings settings_;
  std::vector<Suppression> suppressions_;
  std::vector<Leak> baseline_;
};

}  // namespace mallocspy

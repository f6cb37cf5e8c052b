// What the command line of `oom` says.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/command/option_parser.h"
#include "tools/command/report_output.h"

namespace mallocspy {

struct OomSettings {
  bool help = false;
  std::vector<ReportOutput> outputs;  // text, JSON or JUnit
  std::vector<std::string> within;    // functions and modules
  uint64_t limit = UINT64_MAX;        // stacks that are tried
  uint64_t timeout_seconds = 0;       // of a run; 0: by the first run's time
  uint64_t jobs = 0;                  // runs at a time; 0: as many as there are processors
  bool fork = false;
  std::string state;   // path; empty for none
  std::string repeat;  // path; empty for none
  std::string stack;   // id; empty for none
  std::vector<std::string> arguments;  // program and its arguments
};

// The error is a sentence for the user, without the program's name.
absl::StatusOr<OomSettings> ParseOomSettings(const std::vector<std::string>& arguments);

const std::vector<Option>& OomOptions();

}  // namespace mallocspy

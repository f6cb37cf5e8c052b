// What the command line of `run` and `report` says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/command/option_parser.h"
#include "tools/command/report_output.h"
#include "tools/verdict/fail_on.h"
#include "tools/verdict/judged_programs.h"

namespace mallocspy {

enum class Command { kRun, kReport };

struct Settings {
  bool help = false;
  std::vector<ReportOutput> outputs = {ReportOutput()};
  FailOn fail_on;
  JudgedPrograms judged;
  std::optional<uint64_t> top;
  std::vector<std::string> spies;
  bool follow = true;
  bool self_test = false;
  bool ownership = false;
  std::string on_error;  // empty: the library's own default
  std::string keep;
  std::vector<std::string> suppressions;
  bool strict_suppressions = false;
  bool builtin_suppressions = true;
  bool show_suppressions = false;
  std::optional<std::string> write_suppressions;  // empty: to the default place
  std::string baseline;
  std::vector<std::string> arguments;  // program and its arguments, or files

  // How many leaks are listed in a report of this format; and in the longest that is asked for.
  uint64_t most_leaks(Format format) const;
  uint64_t most_leaks() const;

  bool wants_page() const;  // among its outputs
};

// `arguments` are those behind the command's name. Options of `run` end at the first argument that is none, or at "--".
// The error is a sentence for the user, without the program's name.
absl::StatusOr<Settings> ParseSettings(Command command, const std::vector<std::string>& arguments);

// One option, with the commands that know it.
struct OptionRow {
  const char* name;
  const char* value;
  bool run;
  bool report;
  const char* help;
  bool value_is_optional = false;
};
const std::vector<OptionRow>& OptionRows();
std::vector<Option> OptionsOf(Command command);

}  // namespace mallocspy

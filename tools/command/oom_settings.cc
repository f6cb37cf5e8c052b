#include "tools/command/oom_settings.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tools/oom/trial.h"
#include "tools/wording/escape.h"
#include "tools/wording/nearest.h"

namespace mallocspy {
namespace {

absl::Status SetNumber(absl::string_view name, absl::string_view value, uint64_t* number) {
  if (absl::SimpleAtoi(value, number) && *number != 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("--", name, ": '", Escaped(value), "' is not a number above 0"));
}

absl::Status SetText(absl::string_view name, absl::string_view value, absl::string_view what, std::string* text) {
  if (value.empty()) return absl::InvalidArgumentError(absl::StrCat("--", name, " needs ", what));
  *text = std::string(value);
  return absl::OkStatus();
}

absl::Status SetStack(absl::string_view value, OomSettings* settings) {
  if (!IsStackId(value)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--stack: '", Escaped(value), "' is no stack's id, which has 16 hexadecimal digits"));
  }
  settings->stack = std::string(value);
  return absl::OkStatus();
}

absl::Status AddFormat(absl::string_view value, OutputPairs* outputs) {
  if (value != "text" && value != "json" && value != "junit") {
    return absl::InvalidArgumentError(NotAmong("--format", value, {"text", "json", "junit"}));
  }
  return outputs->AddFormat(value);
}

absl::Status Set(absl::string_view name, absl::string_view value, OomSettings* settings, OutputPairs* outputs) {
  if (name == "help") settings->help = true;
  if (name == "fork") settings->fork = true;
  if (name == "format") return AddFormat(value, outputs);
  if (name == "output") return outputs->AddPath(value);
  if (name == "within") return SetText(name, value, "the name of a function or module", &settings->within.emplace_back());
  if (name == "limit") return SetNumber(name, value, &settings->limit);
  if (name == "timeout") return SetNumber(name, value, &settings->timeout_seconds);
  if (name == "jobs") return SetNumber(name, value, &settings->jobs);
  if (name == "state") return SetText(name, value, "the name of a file", &settings->state);
  if (name == "repeat") return SetText(name, value, "the name of a file", &settings->repeat);
  if (name == "stack") return SetStack(value, settings);
  return absl::OkStatus();
}

}  // namespace

const std::vector<Option>& OomOptions() {
  static const auto& options = *new std::vector<Option>{
      {"format", "text|json|junit", "form of the reports whose --output comes behind it (default: what .json or .xml says, else text)"},
      {"output", "FILE", "where the report goes (default, and -: standard output); repeatable"},
      {"within", "NAME",
       "only allocations with this function or module on their call stacks, as 'net::Buffer::Grow' or 'libparser.so'; repeatable"},
      {"limit", "N", "try the first N call stacks"},
      {"timeout", "SECONDS", "a run that takes longer hangs (default: 10 more than ten times the first run)"},
      {"jobs", "N", "runs at a time (default: one for each processor)"},
      {"fork", nullptr,
       "instead of a run for each call stack, one run that forks at each new one; the child fails there, and the parent waits for it. Fast for "
       "programs that are slow to get there; what children do to shared files and connections is done. Stacks met while the program has several "
       "threads get runs of their own"},
      {"state", "FILE", "keep what was found out in FILE, and go on from there if it is there already"},
      {"repeat", "FILE", "run the program of a state file or JSON report again, in view, with the failure that ended worst, and report as 'run' does"},
      {"stack", "ID", "with --repeat: this failure instead"},
      {"help", nullptr, "this text"},
  };
  return options;
}

absl::StatusOr<OomSettings> ParseOomSettings(const std::vector<std::string>& arguments) {
  OomSettings settings;
  OutputPairs outputs;
  const absl::Status parsed = ParseOptions(
      {.options = OomOptions(),
       .before_arguments_only = true,
       .set = [&](absl::string_view name, absl::string_view value) { return Set(name, value, &settings, &outputs); },
       .unknown = [](absl::string_view argument) { return NoSuchOption(argument, OomOptions()); }},
      arguments, &settings.arguments);
  if (!parsed.ok()) return parsed;
  absl::StatusOr<std::vector<ReportOutput>> paired = outputs.Pair();
  if (!paired.ok()) return paired.status();
  settings.outputs = *std::move(paired);
  for (const ReportOutput& output : settings.outputs) {
    if (output.format != Format::kText && output.format != Format::kJson && output.format != Format::kJunit) {
      return absl::InvalidArgumentError(
          absl::StrCat("--output: oom has no report in the form ", NameOf(output.format), "; give --format=text, json or junit before it"));
    }
  }
  if (!settings.stack.empty() && settings.repeat.empty()) return absl::InvalidArgumentError("--stack goes with --repeat=FILE");
  if (!settings.repeat.empty() && !settings.arguments.empty()) {
    return absl::InvalidArgumentError("--repeat takes program and arguments from its file; give none");
  }
  return settings;
}

}  // namespace mallocspy

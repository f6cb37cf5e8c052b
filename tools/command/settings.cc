#include "tools/command/settings.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tools/wording/escape.h"
#include "tools/wording/nearest.h"

namespace mallocspy {
namespace {

absl::Status UnknownOption(Command command, absl::string_view argument) {
  const absl::string_view name = argument.substr(0, argument.find('='));
  for (const OptionRow& row : OptionRows()) {
    if (name == absl::StrCat("--", row.name) && !(command == Command::kRun ? row.run : row.report)) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, " belongs to 'mallocspy ", command == Command::kRun ? "report" : "run", "'"));
    }
  }
  return NoSuchOption(argument, OptionsOf(command));
}

absl::Status SetTop(absl::string_view value, Settings* settings) {
  uint64_t top;
  if (!absl::SimpleAtoi(value, &top)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--top: '", Escaped(value), "' is not a number of leaks (0 lists none)"));
  }
  settings->top = top;
  return absl::OkStatus();
}

absl::Status SetFollow(absl::string_view value, Settings* settings) {
  if (value != "all" && value != "none") {
    return absl::InvalidArgumentError(NotAmong("--follow", value, {"all", "none"}));
  }
  settings->follow = value == "all";
  return absl::OkStatus();
}

absl::Status SetPath(absl::string_view option, absl::string_view value, std::string* path) {
  if (value.empty()) return absl::InvalidArgumentError(absl::StrCat(option, " needs the name of a file"));
  *path = std::string(value);
  return absl::OkStatus();
}

absl::Status SetBaseline(absl::string_view value, Settings* settings) {
  if (!settings->baseline.empty()) return absl::InvalidArgumentError("--baseline is given twice; there is one baseline");
  return SetPath("--baseline", value, &settings->baseline);
}

absl::Status SetOnError(absl::string_view value, Settings* settings) {
  if (value != "continue" && value != "abort" && value != "stop") {
    return absl::InvalidArgumentError(NotAmong("--on-error", value, {"continue", "abort", "stop"}));
  }
  settings->on_error = std::string(value);
  return absl::OkStatus();
}

absl::Status Set(absl::string_view name, absl::string_view value, Settings* settings, OutputPairs* outputs) {
  if (name == "help") settings->help = true;
  if (name == "format") return outputs->AddFormat(value);
  if (name == "output") return outputs->AddPath(value);
  if (name == "keep") return SetPath("--keep", value, &settings->keep);
  if (name == "top") return SetTop(value, settings);
  if (name == "follow") return SetFollow(value, settings);
  if (name == "judge") return settings->judged.Add(value);
  if (name == "self-test") settings->self_test = true;
  if (name == "ownership") settings->ownership = true;
  if (name == "on-error") return SetOnError(value, settings);
  if (name == "spy") settings->spies.emplace_back(value);
  if (name == "suppressions") return SetPath("--suppressions", value, &settings->suppressions.emplace_back());
  if (name == "strict-suppressions") settings->strict_suppressions = true;
  if (name == "no-builtin-suppressions") settings->builtin_suppressions = false;
  if (name == "show-suppressions") settings->show_suppressions = true;
  if (name == "write-suppressions") settings->write_suppressions = std::string(value);
  if (name == "baseline") return SetBaseline(value, settings);
  if (name == "fail-on") {
    const absl::StatusOr<FailOn> fail_on = FailOn::Parse(value);
    if (!fail_on.ok()) return fail_on.status();
    settings->fail_on = *fail_on;
  }
  return absl::OkStatus();
}

}  // namespace

const std::vector<OptionRow>& OptionRows() {
  static const auto& rows = *new std::vector<OptionRow>{
      {"format", "text|json|junit|sarif|github|markdown|html", true, true,
       "form of the reports whose --output comes behind it (default: what .json, .xml, .sarif, .md or .html says, else text)"},
      {"output", "FILE", true, true,
       "where the report goes; with %p, the pid, one for each process; - standard output (default: standard error; of "
       "'report', all but text: "
       "standard output); repeatable"},
      {"fail-on", "LIST", true, true,
       "what makes the exit status 23 or 24: none, any, definite, possible, reachable, errors (default "
       "definite,errors)"},
      {"judge", "own|all|PROGRAM", true, true,
       "whose leaks and errors count: your own programs and not the shells, build tools and system programs that ran "
       "them (default own), every program, or those like this pattern, as '*_test'; a list, repeatable"},
      {"top", "N", true, true, "list the N largest leaks (default 20 as text, all as json)"},
      {"spy", "LIB.so[:ARGS]", true, false,
       "call the spy in this library around every allocation; a bare NAME is one that comes with mallocspy; "
       "repeatable"},
      {"follow", "all|none", true, false,
       "record forked and exec'ed programs too, each for itself; one that leaves no record makes the check incomplete "
       "(default all)"},
      {"keep", "FILE.mspy", true, false, "keep the snapshot for 'mallocspy report'; %p is the pid"},
      {"suppressions", "FILE", true, true,
       "accept the leaks that this file describes, in the form of LeakSanitizer or Valgrind; repeatable"},
      {"strict-suppressions", nullptr, true, true,
       "exit status 26 if a suppression matched nothing, has expired or met more than its ceiling, and nothing else fails"},
      {"no-builtin-suppressions", nullptr, true, true, "do without the suppressions that come with mallocspy"},
      {"show-suppressions", nullptr, true, true, "print the suppressions that come with mallocspy, for libc, libstdc++ and the loader, and do nothing else"},
      {"write-suppressions", "FILE", true, true,
       "write suppressions that accept exactly what was found (without FILE: 'run' to standard error, 'report' to "
       "standard output)",
       true},
      {"baseline", "FILE", true, true, "fail only on leaks that are new or have grown since this JSON report or snapshot"},
      {"on-error", "continue|abort|stop", true, false,
       "what a heap error leads to as soon as it is met: nothing (default), abort(), or a wait for a debugger, with the command that "
       "attaches one"},
      {"ownership", nullptr, true, true, "tell, too, which module freed what which module had made (in text; 'run' records it for that)"},
      {"self-test", nullptr, true, false,
       "plant a leak, and show step by step whether it can be found on this machine"},
      {"help", nullptr, true, true, "this text"},
  };
  return rows;
}

uint64_t Settings::most_leaks(Format format) const { return top.value_or(MostLeaks(format)); }

bool Settings::wants_page() const {
  return std::any_of(outputs.begin(), outputs.end(), [](const ReportOutput& output) { return output.format == Format::kHtml; });
}

uint64_t Settings::most_leaks() const {
  uint64_t most = 0;
  for (const ReportOutput& output : outputs) most = std::max(most, most_leaks(output.format));
  return most;
}

std::vector<Option> OptionsOf(Command command) {
  std::vector<Option> options;
  for (const OptionRow& row : OptionRows()) {
    if (command == Command::kRun ? row.run : row.report) options.push_back({row.name, row.value, row.help, row.value_is_optional});
  }
  return options;
}

absl::StatusOr<Settings> ParseSettings(Command command, const std::vector<std::string>& arguments) {
  Settings settings;
  OutputPairs outputs;
  const absl::Status parsed = ParseOptions(
      {.options = OptionsOf(command),
       .before_arguments_only = command == Command::kRun,
       .set = [&](absl::string_view name, absl::string_view value) { return Set(name, value, &settings, &outputs); },
       .unknown = [command](absl::string_view argument) { return UnknownOption(command, argument); }},
      arguments, &settings.arguments);
  if (!parsed.ok()) return parsed;
  absl::StatusOr<std::vector<ReportOutput>> paired = outputs.Pair();
  if (!paired.ok()) return paired.status();
  settings.outputs = *std::move(paired);
  for (const ReportOutput& output : settings.outputs) {
    if (command == Command::kRun && output.format == Format::kHtml && output.path.empty()) {
      return absl::InvalidArgumentError("--format=html is a page for a browser and needs --output=FILE.html");
    }
  }
  return settings;
}

}  // namespace mallocspy

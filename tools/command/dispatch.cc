#include "tools/command/dispatch.h"

#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tools/command/commands.h"
#include "tools/command/complaint.h"
#include "tools/command/help.h"
#include "tools/command/planted_program.h"
#include "tools/report/report_sink.h"
#include "tools/verdict/fail_on.h"
#include "tools/wording/escape.h"
#include "tools/wording/nearest.h"

namespace mallocspy {
namespace {

std::vector<std::string> Names(std::vector<std::string> others) {
  std::vector<std::string> names;
  for (const CommandRow& row : Commands()) names.push_back(row.name);
  names.insert(names.end(), others.begin(), others.end());
  return names;
}

}  // namespace

int Dispatch(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    WriteAll(STDERR_FILENO, HelpText("")).IgnoreError();
    return kExitUsage;
  }
  const std::string& command = arguments[0];
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  for (const CommandRow& row : Commands()) {
    if (command == row.name) return row.run(rest);
  }
  if (command == kPlantedCommand) return RunPlantedProgram();
  if (command == "--version") return PrintVersion();
  if (command == "--help" || command == "-h" || command == "help") {
    const std::string topic = rest.empty() ? "" : rest[0];
    if (HelpText(topic).empty()) return UsageError(NotAmong("help", topic, Names({"options"})), "");
    return PrintHelp(topic);
  }
  const absl::string_view what = absl::StartsWith(command, "-") ? "option" : "command";
  return UsageError(absl::StrCat("there is no ", what, " '", Escaped(command), "'",
                                 DidYouMean(command, Names({"help", "--help", "--version"}))),
                    "");
}

}  // namespace mallocspy

#include "tools/command/dispatch.h"

#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tools/command/complaint.h"
#include "tools/command/diff_command.h"
#include "tools/command/help.h"
#include "tools/command/oom_command.h"
#include "tools/command/planted_program.h"
#include "tools/command/report_command.h"
#include "tools/command/run_command.h"
#include "tools/report/report_sink.h"
#include "tools/verdict/fail_on.h"
#include "tools/wording/escape.h"
#include "tools/wording/nearest.h"

namespace mallocspy {

int Dispatch(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    WriteAll(STDERR_FILENO, HelpText("")).IgnoreError();
    return kExitUsage;
  }
  const std::string& command = arguments[0];
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (command == "run") return RunCommand(rest);
  if (command == "report") return ReportCommand(rest);
  if (command == kPlantedCommand) return RunPlantedProgram();
  if (command == "diff") return DiffCommand(rest);
  if (command == "oom") return OomCommand(rest);
  if (command == "--version") return PrintVersion();
  if (command == "--help" || command == "-h" || command == "help") {
    const std::string topic = rest.empty() ? "" : rest[0];
    if (HelpText(topic).empty()) return UsageError(NotAmong("help", topic, {"run", "report", "diff", "oom", "options"}), "");
    return PrintHelp(topic);
  }
  for (const char* const later : {"dump", "mark", "top", "explore", "export"}) {
    if (command == later) return UsageError(absl::StrCat("'", command, "' is not available in this version"), "");
  }
  const absl::string_view what = absl::StartsWith(command, "-") ? "option" : "command";
  return UsageError(absl::StrCat("there is no ", what, " '", Escaped(command), "'",
                                 DidYouMean(command, {"run", "report", "diff", "oom", "help", "--help", "--version"})),
                    "");
}

}  // namespace mallocspy

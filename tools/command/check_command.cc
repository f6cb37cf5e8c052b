#include "tools/command/check_command.h"

#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tools/command/complaint.h"
#include "tools/command/live_options.h"
#include "tools/command/option_parser.h"
#include "tools/command/report_command.h"
#include "tools/command/settings.h"
#include "tools/live/live_dump.h"
#include "tools/report/report_sink.h"
#include "tools/run/run_directory.h"
#include "tools/verdict/fail_on.h"

namespace mallocspy {

int CheckCommand(const std::vector<std::string>& arguments) {
  const absl::StatusOr<Settings> settings = ParseSettings(Command::kReport, arguments);
  if (!settings.ok()) return UsageError(settings.status().message(), "check");
  if (settings->help) return WriteAll(STDOUT_FILENO, CheckHelp()).ok() ? kExitClean : kExitIncomplete;
  if (settings->arguments.size() != 1) return UsageError("check needs one process, by number or name", "check");
  const absl::StatusOr<LiveProcess> process = LiveProcess::Find(settings->arguments[0]);
  if (!process.ok()) return NoProcess(process.status());
  const absl::StatusOr<RunDirectory> directory = RunDirectory::Create();
  if (!directory.ok()) {
    Complain(directory.status().message());
    return kExitIncomplete;
  }
  const std::string path = absl::StrCat(directory->path(), "/check.mspy");
  const absl::StatusOr<DumpTaken> taken = TakeDump(*process, path, {});
  if (!taken.ok()) return NoProcess(taken.status());
  // The report's own options, of the snapshot in place of the process.
  std::vector<std::string> report = arguments;
  for (std::string& argument : report) {
    if (argument == settings->arguments[0]) argument = path;
  }
  return ReportCommand(report);
}

std::string CheckHelp() {
  return absl::StrCat(
      "usage: mallocspy check [OPTION...] PID|NAME\n"
      "\n"
      "Looks for leaks in a running process, as at its end: it stands still for milliseconds, and the report is made\n"
      "of a copy.\n",
      OptionsHelp(OptionsOf(Command::kReport)), "\nexit status: that of `mallocspy report`, and 27 as below\n", kLiveExitStatus);
}

}  // namespace mallocspy

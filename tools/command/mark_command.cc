#include "tools/command/mark_command.h"

#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tools/command/complaint.h"
#include "tools/command/live_options.h"
#include "tools/live/live_request.h"
#include "tools/report/report_sink.h"
#include "tools/verdict/fail_on.h"
#include "tools/wording/escape.h"

namespace mallocspy {

int MarkCommand(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (argument == "--help" || argument == "-h") return WriteAll(STDOUT_FILENO, MarkHelp()).ok() ? kExitClean : kExitIncomplete;
    if (absl::StartsWith(argument, "-")) return UsageError(absl::StrCat("there is no option '", Escaped(argument), "'"), "mark");
  }
  if (arguments.size() != 2 || arguments[1].empty()) return UsageError("mark needs a process, by number or name, and a name for the mark", "mark");
  const std::string& name = arguments[1];
  if (name.size() >= sizeof(ledger::RequestSlot::name)) {
    return UsageError(absl::StrCat("the name of a mark may have ", sizeof(ledger::RequestSlot::name) - 1, " bytes at most"), "mark");
  }
  const absl::StatusOr<LiveProcess> process = LiveProcess::Find(arguments[0]);
  if (!process.ok()) return NoProcess(process.status());
  const absl::StatusOr<std::unique_ptr<LiveRequest>> request = LiveRequest::Make(*process);
  if (!request.ok()) return NoProcess(request.status());
  if (const absl::Status asked = (*request)->Ask(ledger::RequestSlot::kMark, name); !asked.ok()) return NoProcess(asked);
  return WriteAll(STDOUT_FILENO, absl::StrCat("mark ", (*request)->number(), " begins: ", Escaped(name), "\n")).ok() ? kExitClean : kExitIncomplete;
}

std::string MarkHelp() {
  return absl::StrCat(
      "usage: mallocspy mark PID|NAME MARK\n"
      "\n"
      "Begins a mark in a running process: blocks made from now on carry its number, and dumps tell its name. So\n"
      "`mallocspy explore DUMP blocks mark=MARK` shows what was made since, and still lives.\n",
      kLiveExitStatus);
}

}  // namespace mallocspy

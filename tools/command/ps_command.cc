#include "tools/command/ps_command.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tools/command/complaint.h"
#include "tools/command/live_options.h"
#include "tools/command/option_parser.h"
#include "tools/live/live_process.h"
#include "tools/report/json_parts.h"
#include "tools/report/report_sink.h"
#include "tools/verdict/fail_on.h"
#include "tools/wording/count.h"
#include "tools/wording/escape.h"
#include "tools/wording/size_text.h"

namespace mallocspy {
namespace {

using nlohmann::ordered_json;

const std::vector<Option>& PsOptions() {
  static const std::vector<Option>* const kOptions = new std::vector<Option>{
      {"json", nullptr, "as JSON"},
      {"help", nullptr, "this text"},
  };
  return *kOptions;
}

struct Held {
  uint64_t bytes = 0;
  uint64_t blocks = 0;
};

Held HeldBy(const Snapshot& snapshot) {
  Held held;
  for (const SnapshotStack& stack : snapshot.stacks) {
    held.bytes += stack.live_bytes();
    held.blocks += stack.live_blocks();
  }
  return held;
}

std::string Json(const std::vector<ListedProcess>& processes, size_t hidden) {
  ordered_json list = ordered_json::array();
  for (const ListedProcess& process : processes) {
    const Held held = HeldBy(process.snapshot);
    ordered_json arguments = ordered_json::array();
    for (const std::string& argument : process.snapshot.cmdline) arguments.push_back(JsonText(argument));
    list.push_back({{"pid", process.pid},
                    {"exe", JsonText(process.snapshot.exe)},
                    {"cmdline", arguments},
                    {"live_bytes", held.bytes},
                    {"live_blocks", held.blocks},
                    {"peak_bytes", std::max(process.snapshot.peak_bytes, held.bytes)}});
  }
  return absl::StrCat(ordered_json{{"schema", "mallocspy-ps/1"}, {"processes", list}, {"not_permitted", hidden}}.dump(2), "\n");
}

std::string Text(const std::vector<ListedProcess>& processes, size_t hidden) {
  std::string text;
  if (!processes.empty()) text = absl::StrFormat("%8s %8s %10s  %s\n", "pid", "bytes", "blocks", "command");
  for (const ListedProcess& process : processes) {
    const Held held = HeldBy(process.snapshot);
    absl::StrAppendFormat(&text, "%8d %8s %10d  %s\n", process.pid, SizeText(static_cast<int64_t>(held.bytes)), held.blocks,
                          Escaped(absl::StrJoin(process.snapshot.cmdline, " ")));
  }
  if (processes.empty()) absl::StrAppend(&text, "no process is recorded; `mallocspy run -- PROGRAM` starts one\n");
  if (hidden != 0) absl::StrAppend(&text, Count(hidden, "process", "processes"), " of other users could not be looked at\n");
  return text;
}

}  // namespace

int PsCommand(const std::vector<std::string>& arguments) {
  bool help = false;
  bool json = false;
  std::vector<std::string> words;
  const OptionParsing parsing = {PsOptions(), false,
                                 [&](absl::string_view name, absl::string_view) {
                                   (name == "help" ? help : json) = true;
                                   return absl::OkStatus();
                                 },
                                 [](absl::string_view argument) { return NoSuchOption(argument, PsOptions()); }};
  if (const absl::Status parsed = ParseOptions(parsing, arguments, &words); !parsed.ok()) return UsageError(parsed.message(), "ps");
  if (help) return WriteAll(STDOUT_FILENO, PsHelp()).ok() ? kExitClean : kExitIncomplete;
  if (!words.empty()) return UsageError("ps takes no arguments; `mallocspy top PID` shows one process", "ps");
  size_t hidden = 0;
  const std::vector<ListedProcess> processes = ListProcesses(&hidden);
  return WriteAll(STDOUT_FILENO, json ? Json(processes, hidden) : Text(processes, hidden)).ok() ? kExitClean : kExitIncomplete;
}

std::string PsHelp() {
  return absl::StrCat(
      "usage: mallocspy ps [OPTION...]\n"
      "\n"
      "Lists the running processes that are recorded, and what they hold.\n",
      OptionsHelp(PsOptions()),
      "\n"
      "exit status:\n"
      "  25  the list could not be written\n"
      "   2  the command line is wrong\n"
      "   0  none of these, also of an empty list\n");
}

}  // namespace mallocspy

#include "tools/command/top_command.h"

#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tools/command/complaint.h"
#include "tools/command/live_options.h"
#include "tools/command/option_parser.h"
#include "tools/live/top_screen.h"
#include "tools/report/report_sink.h"
#include "tools/verdict/fail_on.h"

namespace mallocspy {
namespace {

const std::vector<Option>& TopOptions() {
  static const std::vector<Option>* const kOptions = new std::vector<Option>{
      {"once", nullptr, "print once what the process holds, instead of a screen; also where there is no terminal"},
      {"json", nullptr, "as JSON (with --once)"},
      {"top", "N", "how many stacks are printed (default 20; with --json all)"},
      {"sort", "KEY", "bytes, blocks, growth or rate (default bytes)"},
      {"filter", "TEXT", "only stacks with TEXT in the name of a function or module"},
      {"interval", "SECONDS", "between two readings (default 1)"},
      {"help", nullptr, "this text"},
  };
  return *kOptions;
}

struct TopSettings {
  bool help = false;
  bool once = false;
  bool json = false;
  bool limited = false;
  TopSelection selection;
  absl::Duration interval = absl::Seconds(1);
};

absl::Status Set(absl::string_view name, absl::string_view value, TopSettings* settings) {
  if (name == "help") settings->help = true;
  if (name == "once") settings->once = true;
  if (name == "json") settings->json = true;
  if (name == "filter") settings->selection.filter = std::string(value);
  if (name == "top") {
    settings->limited = true;
    if (!absl::SimpleAtoi(value, &settings->selection.most_rows)) return absl::InvalidArgumentError("--top needs a number");
  }
  if (name == "sort") {
    const absl::StatusOr<TopSort> sort = ParseTopSort(value);
    if (!sort.ok()) return sort.status();
    settings->selection.sort = *sort;
  }
  if (name == "interval") {
    double seconds = 0;
    if (!absl::SimpleAtod(value, &seconds) || !(seconds >= 0.05 && seconds <= 3600)) {
      return absl::InvalidArgumentError("--interval needs seconds, from 0.05 to 3600");
    }
    settings->interval = absl::Seconds(seconds);
  }
  return absl::OkStatus();
}

}  // namespace

int TopCommand(const std::vector<std::string>& arguments) {
  TopSettings settings;
  std::vector<std::string> words;
  const OptionParsing parsing = {TopOptions(), false,
                                 [&settings](absl::string_view name, absl::string_view value) { return Set(name, value, &settings); },
                                 [](absl::string_view argument) { return NoSuchOption(argument, TopOptions()); }};
  if (const absl::Status parsed = ParseOptions(parsing, arguments, &words); !parsed.ok()) return UsageError(parsed.message(), "top");
  if (settings.help) return WriteAll(STDOUT_FILENO, TopHelp()).ok() ? kExitClean : kExitIncomplete;
  if (words.size() != 1) return UsageError("top needs one process, by number or name", "top");
  if (settings.json && !settings.once && isatty(STDOUT_FILENO) == 1) return UsageError("--json goes with --once", "top");
  const absl::StatusOr<LiveProcess> process = LiveProcess::Find(words[0]);
  if (!process.ok()) return NoProcess(process.status());
  absl::StatusOr<Snapshot> first = process->Read();
  if (!first.ok()) return NoProcess(first.status());
  TopView view;
  view.Add(*std::move(first), absl::Now());
  if (!settings.once && isatty(STDOUT_FILENO) == 1 && isatty(STDIN_FILENO) == 1) {
    const absl::Status shown = ShowTop(*process, &view, settings.selection, settings.interval);
    if (shown.ok()) return kExitClean;
    Complain(shown.message());
    return kExitUsage;
  }
  if (settings.selection.sort == TopSort::kRate || settings.selection.sort == TopSort::kGrowth) {
    absl::SleepFor(settings.interval);  // both are between two readings
    absl::StatusOr<Snapshot> second = process->Read();
    if (!second.ok()) return NoProcess(second.status());
    view.Add(*std::move(second), absl::Now());
  }
  if (settings.json && !settings.limited) settings.selection.most_rows = UINT64_MAX;
  const std::string text = settings.json ? TopJson(&view, process->pid(), settings.selection) : TopText(&view, process->pid(), settings.selection);
  return WriteAll(STDOUT_FILENO, text).ok() ? kExitClean : kExitIncomplete;
}

std::string TopHelp() {
  return absl::StrCat(
      "usage: mallocspy top [OPTION...] PID|NAME\n"
      "\n"
      "Shows what a running process holds, by call stack. Only its record is read: the process is neither stopped\n"
      "nor slowed. It must have been started by `mallocspy run` or with LD_PRELOAD=libmallocspy.so.\n",
      OptionsHelp(TopOptions()), kLiveExitStatus);
}

}  // namespace mallocspy

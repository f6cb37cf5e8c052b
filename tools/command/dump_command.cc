#include "tools/command/dump_command.h"

#include <unistd.h>

#include <cstdio>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/command/complaint.h"
#include "tools/command/live_options.h"
#include "tools/command/option_parser.h"
#include "tools/live/live_dump.h"
#include "tools/report/report_sink.h"
#include "tools/verdict/fail_on.h"
#include "tools/wording/count.h"
#include "tools/wording/escape.h"
#include "tools/wording/size_text.h"

namespace mallocspy {
namespace {

const std::vector<Option>& DumpOptions() {
  static const std::vector<Option>* const kOptions = new std::vector<Option>{
      {"output", "FILE", "where the snapshot goes; %p is the pid (default mallocspy-%p.mspy)", false, 'o'},
      {"no-graph", nullptr, "without what points to what: a smaller file"},
      {"contents", "none|pointers|full",
       "what is written of the blocks' own bytes: nothing, words that point to functions, variables and stacks, or all (default none)"},
      {"quiet", nullptr, "say nothing if all goes well", false, 'q'},
      {"help", nullptr, "this text"},
  };
  return *kOptions;
}

struct DumpSettings {
  bool help = false;
  bool quiet = false;
  DumpContent content = {true};
  std::string output = "mallocspy-%p.mspy";
};

std::optional<ledger::Contents> ContentsNamed(absl::string_view word) {
  if (word == "none") return ledger::Contents::kNone;
  if (word == "pointers") return ledger::Contents::kPointers;
  if (word == "full") return ledger::Contents::kFull;
  return std::nullopt;
}

}  // namespace

int DumpCommand(const std::vector<std::string>& arguments) {
  DumpSettings settings;
  std::vector<std::string> words;
  const OptionParsing parsing = {DumpOptions(), false,
                                 [&settings](absl::string_view name, absl::string_view value) -> absl::Status {
                                   if (name == "help") settings.help = true;
                                   if (name == "quiet") settings.quiet = true;
                                   if (name == "no-graph") settings.content.graph = false;
                                   if (name == "contents") {
                                     const std::optional<ledger::Contents> contents = ContentsNamed(value);
                                     if (!contents.has_value()) return absl::InvalidArgumentError("--contents needs none, pointers or full");
                                     settings.content.bytes = *contents;
                                   }
                                   if (name == "output") settings.output = std::string(value);
                                   if (settings.output.empty()) return absl::InvalidArgumentError("--output needs the name of a file");
                                   return absl::OkStatus();
                                 },
                                 [](absl::string_view argument) { return NoSuchOption(argument, DumpOptions()); }};
  if (const absl::Status parsed = ParseOptions(parsing, arguments, &words); !parsed.ok()) return UsageError(parsed.message(), "dump");
  if (settings.help) return WriteAll(STDOUT_FILENO, DumpHelp()).ok() ? kExitClean : kExitIncomplete;
  if (settings.content.bytes != ledger::Contents::kNone && !settings.content.graph) {
    return UsageError("--contents needs what --no-graph leaves out", "dump");
  }
  if (words.size() != 1) return UsageError("dump needs one process, by number or name", "dump");
  const absl::StatusOr<LiveProcess> process = LiveProcess::Find(words[0]);
  if (!process.ok()) return NoProcess(process.status());
  const std::string path = ExpandPath(settings.output, process->pid());
  const bool shows = isatty(STDERR_FILENO) == 1 && !settings.quiet;
  const auto show = [shows](uint64_t bytes) {
    if (shows) std::fprintf(stderr, "\rmallocspy: received %s", SizeText(static_cast<int64_t>(bytes)).c_str());
  };
  const absl::StatusOr<DumpTaken> taken = TakeDump(*process, path, settings.content, show);
  if (shows) std::fputs("\r\x1b[K", stderr);
  if (!taken.ok()) return NoProcess(taken.status());
  if (!settings.quiet) {
    std::string text = absl::StrCat("wrote ", Escaped(path), " (", SizeText(static_cast<int64_t>(taken->bytes)), "): process ", process->pid(),
                                    " stood still for ", absl::StrFormat("%.1f ms", absl::ToDoubleMilliseconds(taken->pause)), "; mark ",
                                    taken->next_mark, " began with it\n");
    if (taken->unanswered != 0) {
      absl::StrAppend(&text, Count(taken->unanswered, "thread"), " did not stop: what only they hold may be taken for lost\n");
    }
    absl::StrAppend(&text, "`mallocspy report ", Escaped(path), "` and `mallocspy explore ", Escaped(path), "` read it\n");
    if (!WriteAll(STDOUT_FILENO, text).ok()) return kExitIncomplete;
  }
  return kExitClean;
}

std::string DumpHelp() {
  return absl::StrCat(
      "usage: mallocspy dump [OPTION...] PID|NAME\n"
      "\n"
      "Writes a snapshot of a running process: its stacks, live blocks, what points to what, and the classes of\n"
      "objects; what blocks contain only if --contents asks for it. The process stands still for milliseconds while a copy of it is made,\n"
      "and the copy writes the snapshot.\n",
      OptionsHelp(DumpOptions()), kLiveExitStatus);
}

}  // namespace mallocspy

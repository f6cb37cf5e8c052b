#include "tools/command/explore_command.h"

#include <unistd.h>

#include <cstdio>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tools/command/complaint.h"
#include "tools/command/help.h"
#include "tools/command/option_parser.h"
#include "tools/explore/command_input.h"
#include "tools/explore/command_words.h"
#include "tools/explore/explored_heap.h"
#include "tools/explore/explorer.h"
#include "tools/explore/explorer_commands.h"
#include "tools/explore/terminal_width.h"
#include "tools/reader/reader.h"
#include "tools/report/report_sink.h"
#include "tools/verdict/fail_on.h"
#include "tools/wording/escape.h"
#include "tools/wording/nearest.h"

namespace mallocspy {
namespace {

constexpr char kUsage[] =
    "usage: mallocspy explore [OPTION...] FILE [COMMAND...]\n"
    "\n"
    "Answers questions about a snapshot: what holds this block, what would go with it, what is all this\n"
    "memory. Without a COMMAND it reads one from each line of the standard input; on a terminal the line\n"
    "can be edited, and the tabulator key completes words.\n"
    "\n"
    "commands:\n";

const std::vector<Option>& Options() {
  static const std::vector<Option>* const kOptions = new std::vector<Option>{
      {"format", "FORMAT", "table (default), json (an object a line for each command) or csv"},
      {"help", nullptr, "this text"},
  };
  return *kOptions;
}

struct ExploreSettings {
  bool help = false;
  TableFormat format = TableFormat::kTable;
  std::string file;
  std::vector<std::string> words;
};

// Options stand before the file or right behind it; what follows is the explorer's.
absl::StatusOr<ExploreSettings> Parse(const std::vector<std::string>& arguments) {
  ExploreSettings settings;
  OptionParsing parsing;
  parsing.options = Options();
  parsing.before_arguments_only = true;
  parsing.set = [&settings](absl::string_view name, absl::string_view value) -> absl::Status {
    if (name == "help") {
      settings.help = true;
      return absl::OkStatus();
    }
    const std::optional<TableFormat> format = ParseTableFormat(value);
    if (!format.has_value()) return absl::InvalidArgumentError(NotAmong("--format", value, TableFormats()));
    settings.format = *format;
    return absl::OkStatus();
  };
  parsing.unknown = [](absl::string_view argument) { return NoSuchOption(argument, Options()); };
  std::vector<std::string> rest;
  absl::Status status = ParseOptions(parsing, arguments, &rest);
  if (!status.ok()) return status;
  if (settings.help) return settings;
  if (rest.empty()) return absl::InvalidArgumentError("explore needs a snapshot");
  settings.file = rest[0];
  status = ParseOptions(parsing, {rest.begin() + 1, rest.end()}, &settings.words);
  if (!status.ok()) return status;
  return settings;
}

// Commands of the standard input, or the one that was given.
class Exploration {
 public:
  Exploration(Snapshot snapshot, const ExploreSettings& settings)
      : heap_(std::move(snapshot), isatty(STDERR_FILENO) != 0),
        explorer_(&heap_, settings.format, TerminalWidth(STDOUT_FILENO), [this](absl::string_view text) { return Take(text); }) {}

  int Run(const std::vector<std::string>& words) {
    if (!words.empty()) {
      // One word with blanks is a line: explore FILE 'blocks size>1K'.
      Judge(words.size() == 1 ? explorer_.ExecuteLine(words[0]) : explorer_.Execute(words));
    } else {
      const std::unique_ptr<CommandInput> input = OpenCommandInput(&explorer_);
      std::string line;
      while (!explorer_.quit() && !write_failed_ && input->ReadLine(&line)) {
        explorer_.set_width(TerminalWidth(STDOUT_FILENO));
        input->BeginCommand();
        Judge(explorer_.ExecuteLine(line));
        if (input->interactive()) wrong_ = false;
      }
    }
    if (write_failed_) {
      Complain(absl::StrCat("the answer could not be written: ", failure_));
      return kExitIncomplete;
    }
    return wrong_ ? kExitUsage : kExitClean;
  }

 private:
  bool Take(absl::string_view text) {
    if (CommandInterrupted()) return false;
    heap_.namer().EndProgress();
    const absl::Status written = WriteAll(STDOUT_FILENO, text);
    if (!written.ok()) {
      write_failed_ = true;
      failure_ = std::string(written.message());
    }
    return written.ok();
  }

  void Judge(const absl::Status& done) {
    if (done.ok()) return;
    wrong_ = true;
    Complain(done.message());
  }

  ExploredHeap heap_;
  Explorer explorer_;
  bool wrong_ = false;
  bool write_failed_ = false;
  std::string failure_;
};

}  // namespace

std::string ExploreCommandHelp() {
  return absl::StrCat(kUsage, ExplorerHelp(""), "\noptions:\n", OptionsHelp(Options()),
                      "\nexit status:\n"
                      "  25  an answer could not be written\n"
                      "   2  the command line or a command is wrong, or the snapshot cannot be read\n"
                      "   0  none of these; on a terminal also after wrong commands\n");
}

int ExploreCommand(const std::vector<std::string>& arguments) {
  const absl::StatusOr<ExploreSettings> settings = Parse(arguments);
  if (!settings.ok()) return UsageError(settings.status().message(), "explore");
  if (settings->help) return PrintHelp("explore");
  absl::StatusOr<Snapshot> snapshot = ReadSnapshotFile(settings->file);
  if (!snapshot.ok()) {
    Complain(Escaped(snapshot.status().message()));
    return kExitUsage;
  }
  return Exploration(*std::move(snapshot), *settings).Run(settings->words);
}

}  // namespace mallocspy

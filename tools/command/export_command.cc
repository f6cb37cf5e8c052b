#include "tools/command/export_command.h"

#include <unistd.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tools/command/complaint.h"
#include "tools/command/help.h"
#include "tools/command/option_parser.h"
#include "tools/export/formats.h"
#include "tools/reader/reader.h"
#include "tools/report/report_sink.h"
#include "tools/verdict/fail_on.h"
#include "tools/wording/escape.h"
#include "tools/wording/nearest.h"

namespace mallocspy {
namespace {

struct ExportSettings {
  bool help = false;
  const ExportFormat* format = nullptr;
  std::string output;
  std::vector<std::string> files;

  bool to_standard_output() const { return output.empty() || output == "-"; }
};

const std::vector<Option>& Options() {
  static const std::vector<Option>* const kOptions = new std::vector<Option>{
      {"to", "FORMAT",
       "pprof        profile for pprof, compressed: allocated and live blocks and bytes\n"
       "folded       a line for each stack, for flame graphs: live bytes\n"
       "speedscope   profiles for speedscope\n"
       "dhat         for dh_view.html, the viewer of Valgrind's DHAT\n"
       "massif       for ms_print, the viewer of Valgrind's Massif\n"
       "heapsnapshot blocks and what points to what, for the memory panel of Chrome's DevTools\n"
       "csv          a row for each live block"},
      {"output", "FILE", "where it goes; also -o FILE (default, and -: standard output)"},
      {"help", nullptr, "this text"},
  };
  return *kOptions;
}

absl::Status Set(absl::string_view name, absl::string_view value, ExportSettings* settings) {
  if (name == "help") {
    settings->help = true;
  } else if (name == "output") {
    if (value.empty()) return absl::InvalidArgumentError("--output needs the name of a file");
    settings->output = std::string(value);
  } else {
    settings->format = nullptr;
    for (const ExportFormat& format : ExportFormats()) {
      if (value == format.name) settings->format = &format;
    }
    if (settings->format == nullptr) return absl::InvalidArgumentError(NotAmong("--to", std::string(value), ExportFormatNames()));
  }
  return absl::OkStatus();
}

// "-o FILE" and "-oFILE" as "--output=FILE", for a parser of long options.
std::vector<std::string> Lengthened(const std::vector<std::string>& arguments) {
  std::vector<std::string> longer;
  bool options = true;  // until "--"
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    options = options && argument != "--";
    if (!options || !absl::StartsWith(argument, "-o")) {
      longer.push_back(argument);
    } else if (argument != "-o") {
      longer.push_back(absl::StrCat("--output=", argument.substr(2)));
    } else {
      longer.push_back(i + 1 < arguments.size() ? absl::StrCat("--output=", arguments[++i]) : "--output");
    }
  }
  return longer;
}

absl::StatusOr<ExportSettings> Parse(const std::vector<std::string>& arguments) {
  ExportSettings settings;
  OptionParsing parsing;
  parsing.options = Options();
  parsing.before_arguments_only = false;
  parsing.set = [&settings](absl::string_view name, absl::string_view value) { return Set(name, value, &settings); };
  parsing.unknown = [](absl::string_view argument) { return NoSuchOption(argument, Options()); };
  const absl::Status parsed = ParseOptions(parsing, Lengthened(arguments), &settings.files);
  if (!parsed.ok()) return parsed;
  if (settings.help) return settings;
  if (settings.files.size() != 1) return absl::InvalidArgumentError("export needs one snapshot file (*.mspy)");
  if (settings.format == nullptr) return absl::InvalidArgumentError("export needs a format: --to=pprof, for example");
  return settings;
}

absl::Status Export(const Snapshot& snapshot, const ExportFormat& format, int descriptor) {
  FrameNamer namer(isatty(STDERR_FILENO) == 1);
  const NamedStacks stacks(snapshot, &namer);
  namer.EndProgress();
  ByteSink sink(descriptor);
  absl::Status made = format.write(stacks, &namer, &sink);
  namer.EndProgress();
  absl::Status written = sink.Finish();
  return made.ok() ? written : made;
}

}  // namespace

int ExportCommand(const std::vector<std::string>& arguments) {
  const absl::StatusOr<ExportSettings> settings = Parse(arguments);
  if (!settings.ok()) return UsageError(settings.status().message(), "export");
  if (settings->help) return PrintHelp("export");
  if (settings->format->binary && settings->to_standard_output() && isatty(STDOUT_FILENO) == 1) {
    return UsageError(absl::StrCat("--to=", settings->format->name, " is no text for a terminal: give it a file with --output=FILE"), "export");
  }
  const absl::StatusOr<Snapshot> snapshot = ReadSnapshotFile(settings->files[0]);
  if (!snapshot.ok()) {
    Complain(Escaped(snapshot.status().message()));
    return kExitUsage;
  }
  const auto write = [&](int descriptor) { return Export(*snapshot, *settings->format, descriptor); };
  const absl::Status written = settings->to_standard_output() ? write(STDOUT_FILENO) : WriteReportFile(settings->output, write);
  if (!written.ok()) {
    Complain(absl::StrCat("the export could not be written (", Escaped(written.message()), ")"));
    return kExitIncomplete;
  }
  return kExitClean;
}

std::string ExportHelp() {
  return absl::StrCat(
      "usage: mallocspy export --to=FORMAT [OPTION...] FILE\n"
      "\n"
      "Writes a snapshot (*.mspy), also of a killed or running process, in the format of another tool. Counts\n"
      "are exact, and those of `mallocspy report`.\n",
      OptionsHelp(Options()),
      "\n"
      "exit status:\n"
      "  25  the result could not be written\n"
      "   2  the command line is wrong, or the file cannot be read\n"
      "   0  none of these\n");
}

}  // namespace mallocspy

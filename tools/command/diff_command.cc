#include "tools/command/diff_command.h"

#include <unistd.h>

#include <algorithm>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tools/command/complaint.h"
#include "tools/command/help.h"
#include "tools/command/leak_source.h"
#include "tools/page/page.h"
#include "tools/page/page_data.h"
#include "tools/reader/reader.h"
#include "tools/report/diff_report.h"
#include "tools/report/report_sink.h"
#include "tools/verdict/assessment.h"
#include "tools/verdict/fail_on.h"
#include "tools/wording/escape.h"
#include "tools/wording/nearest.h"

namespace mallocspy {
namespace {

struct DiffSettings {
  bool help = false;
  std::string format = "text";
  std::string output;
  FailOn fail_on;
  std::vector<std::string> files;
};

absl::Status Set(absl::string_view name, const std::string& value, DiffSettings* settings) {
  if (name == "--format") {
    const std::vector<std::string> formats = {"text", "json", "html"};
    if (std::find(formats.begin(), formats.end(), value) == formats.end()) return absl::InvalidArgumentError(NotAmong(name, value, formats));
    settings->format = value;
  } else if (name == "--output") {
    if (value.empty()) return absl::InvalidArgumentError("--output needs the name of a file");
    settings->output = value;
  } else {
    const absl::StatusOr<FailOn> fail_on = FailOn::Parse(value);
    if (!fail_on.ok()) return fail_on.status();
    settings->fail_on = *fail_on;
  }
  return absl::OkStatus();
}

absl::StatusOr<DiffSettings> Parse(const std::vector<std::string>& arguments) {
  const std::vector<std::string> with_value = {"--format", "--output", "--fail-on"};
  DiffSettings settings;
  bool options = true;  // until "--"
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (!options || !absl::StartsWith(argument, "-") || argument == "-") {
      settings.files.push_back(argument);
      continue;
    }
    const size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    if (argument == "--") {
      options = false;
    } else if (argument == "--help" || argument == "-h") {
      settings.help = true;
    } else if (std::find(with_value.begin(), with_value.end(), name) != with_value.end()) {
      if (equals == std::string::npos && i + 1 == arguments.size()) {
        return absl::InvalidArgumentError(absl::StrCat(name, " needs a value"));
      }
      const absl::Status set =
          Set(name, equals == std::string::npos ? arguments[++i] : argument.substr(equals + 1), &settings);
      if (!set.ok()) return set;
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat("there is no option '", Escaped(name), "'",
                       DidYouMean(name, {"--format", "--output", "--fail-on", "--help"})));
    }
  }
  if (!settings.help && settings.files.size() != 2) {
    return absl::InvalidArgumentError("diff needs two snapshots or JSON reports, the older first");
  }
  return settings;
}

std::optional<HeapDiff> DiffOf(const std::optional<Snapshot>& earlier, const std::optional<Snapshot>& later) {
  if (!earlier.has_value() || !later.has_value() || !AreDumpsOfOneProcess(*earlier, *later)) return std::nullopt;
  FrameNamer namer(/*show_progress=*/false);
  return DiffHeaps(*earlier, *later, &namer);
}

bool Fails(const LeakChange& change, const FailOn& fail_on) {
  const bool more = change.kind == LeakChange::Kind::kNew || change.kind == LeakChange::Kind::kGrown;
  return more && fail_on.Includes(change.worst_grown);
}

// A snapshot with all its stacks; of a JSON report what it lists. Takes the snapshot.
DiffSide SideOf(const std::string& file, LeakSource* source, FrameNamer* namer) {
  DiffSide side;
  side.file = file;
  if (source->snapshot.has_value()) {
    side.findings = Assess(*source->snapshot, Circumstances(), kAllLeaks, namer);
    side.snapshots.push_back(*std::move(source->snapshot));
    return side;
  }
  side.findings.leaks = source->leaks;
  for (const Leak& leak : source->leaks) {
    side.findings.totals.live_blocks += leak.blocks;
    side.findings.totals.live_bytes += leak.bytes;
  }
  return side;
}

std::string DiffHtml(const std::vector<std::string>& files, std::vector<LeakSource>* sources, const std::vector<LeakChange>& changes) {
  FrameNamer namer(isatty(STDERR_FILENO) == 1);
  const DiffSide before = SideOf(files[0], &(*sources)[0], &namer);
  const DiffSide now = SideOf(files[1], &(*sources)[1], &namer);
  std::string html = PageHtml(DiffPageData(before, now, changes, &namer));
  namer.EndProgress();
  return html;
}

}  // namespace

int DiffCommand(const std::vector<std::string>& arguments) {
  const absl::StatusOr<DiffSettings> settings = Parse(arguments);
  if (!settings.ok()) return UsageError(settings.status().message(), "diff");
  if (settings->help) return PrintHelp("diff");
  std::vector<LeakSource> sources;
  for (const std::string& file : settings->files) {
    absl::StatusOr<LeakSource> read = ReadLeakSource(file);
    if (!read.ok()) {
      Complain(read.status().message());
      return kExitUsage;
    }
    sources.push_back(*std::move(read));
  }
  const std::vector<LeakChange> changes = DiffLeaks(sources[0].leaks, sources[1].leaks);
  const std::optional<HeapDiff> heap = DiffOf(sources[0].snapshot, sources[1].snapshot);
  const HeapDiff* heap_or_null = heap.has_value() ? &*heap : nullptr;
  const std::string report = settings->format == "html"   ? DiffHtml(settings->files, &sources, changes)
                             : settings->format == "json" ? DiffJson(changes, heap_or_null)
                                                          : DiffText(changes, heap_or_null);
  const bool to_output = settings->output.empty() || settings->output == "-";
  const absl::Status written = to_output ? WriteAll(STDOUT_FILENO, report) : WriteReportFile(settings->output, report);
  if (!written.ok()) {
    Complain(absl::StrCat("the diff could not be written (", written.message(), "): nobody sees what was found"));
    return kExitIncomplete;
  }
  return std::any_of(changes.begin(), changes.end(),
                     [&settings](const LeakChange& change) { return Fails(change, settings->fail_on); })
             ? kExitLeaks
             : kExitClean;
}

}  // namespace mallocspy

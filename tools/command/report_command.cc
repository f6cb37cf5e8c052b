#include "tools/command/report_command.h"

#include <unistd.h>

#include <algorithm>

#include "tools/command/acceptance.h"
#include "tools/command/complaint.h"
#include "tools/command/help.h"
#include "tools/command/report_writing.h"
#include "tools/command/settings.h"
#include "tools/reader/reader.h"
#include "tools/report/report_sink.h"
#include "tools/verdict/assessment.h"
#include "tools/verdict/built_in_suppressions.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

// Among the files of one run the later image tells what became of a process.
bool HasLaterImage(const std::vector<Snapshot>& snapshots, const Snapshot& snapshot) {
  return std::any_of(snapshots.begin(), snapshots.end(), [&snapshot](const Snapshot& other) {
    return other.pid == snapshot.pid && other.started_ns > snapshot.started_ns;
  });
}

}  // namespace

int ReportCommand(const std::vector<std::string>& arguments) {
  const absl::StatusOr<Settings> settings = ParseSettings(Command::kReport, arguments);
  if (!settings.ok()) return UsageError(settings.status().message(), "report");
  if (settings->help) return PrintHelp("report");
  if (settings->show_suppressions) {
    return WriteAll(STDOUT_FILENO, BuiltInSuppressionsText()).ok() ? kExitClean : kExitIncomplete;
  }
  if (settings->arguments.empty()) return UsageError("report needs a snapshot file (*.mspy)", "report");

  const absl::StatusOr<Acceptance> acceptance = Acceptance::Read(*settings);
  if (!acceptance.ok()) {
    Complain(acceptance.status().message());
    return kExitUsage;
  }

  bool complete = true;
  std::vector<Snapshot> snapshots;
  for (const std::string& path : settings->arguments) {
    absl::StatusOr<Snapshot> snapshot = ReadSnapshotFile(path);
    if (snapshot.ok()) {
      snapshots.push_back(*std::move(snapshot));
    } else {
      Complain(Escaped(std::string(snapshot.status().message())));
      complete = false;
    }
  }
  if (snapshots.empty()) return kExitUsage;

  std::vector<Findings> findings;
  FrameNamer namer(isatty(STDERR_FILENO) == 1);
  int status = kExitClean;
  for (const Snapshot& snapshot : snapshots) {
    Circumstances circumstances;
    circumstances.later_image = HasLaterImage(snapshots, snapshot);
    findings.push_back(Assess(snapshot, circumstances, acceptance->leaks_to_name(), &namer));
  }
  namer.EndProgress();
  bool as_told = acceptance->Apply(Command::kReport, &findings);
  if (const absl::Status judged = settings->judged.Apply(&findings); !judged.ok()) {
    Complain(judged.message());
    as_told = false;
  }
  for (const Findings& one_file : findings) {
    const int one = settings->fail_on.ExitStatus(one_file);
    // Errors before leaks before incomplete: the order of kExitErrors, kExitLeaks, kExitIncomplete is not by number.
    const auto rank = [](int exit_status) {
      return exit_status == kExitErrors ? 3 : exit_status == kExitLeaks ? 2 : exit_status == kExitIncomplete ? 1 : 0;
    };
    if (rank(one) > rank(status)) status = one;
  }
  status = acceptance->Strict(status, findings[0].suppressions);
  if (!WriteReport(Command::kReport, *settings, std::move(findings), {snapshots, &namer}) || !as_told) return kExitIncomplete;
  if (status == kExitClean && !complete) return kExitUsage;
  return status;
}

}  // namespace mallocspy

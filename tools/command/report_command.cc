#include "tools/command/report_command.h"

#include <unistd.h>

#include <algorithm>

#include "tools/command/complaint.h"
#include "tools/command/help.h"
#include "tools/command/report_writing.h"
#include "tools/command/settings.h"
#include "tools/reader/reader.h"
#include "tools/verdict/assessment.h"
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
  if (settings->arguments.empty()) return UsageError("report needs a snapshot file (*.mspy)", "report");

  bool complete = true, judged_as_told = true;
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
    findings.push_back(Assess(snapshot, circumstances, settings->most_leaks(), &namer));
  }
  namer.EndProgress();
  if (const absl::Status judged = settings->judged.Apply(&findings); !judged.ok()) {
    Complain(judged.message());
    judged_as_told = false;
  }
  for (const Findings& one_of_them : findings) {
    const int one = settings->fail_on.ExitStatus(one_of_them);
    // Errors before leaks before incomplete: the order of kExitErrors, kExitLeaks, kExitIncomplete is not by number.
    const auto rank = [](int exit_status) {
      return exit_status == kExitErrors ? 3 : exit_status == kExitLeaks ? 2 : exit_status == kExitIncomplete ? 1 : 0;
    };
    if (rank(one) > rank(status)) status = one;
  }
  if (!WriteReport(Command::kReport, *settings, std::move(findings)) || !judged_as_told) return kExitIncomplete;
  if (status == kExitClean && !complete) return kExitUsage;
  return status;
}

}  // namespace mallocspy

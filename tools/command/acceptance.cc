#include "tools/command/acceptance.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tools/command/complaint.h"
#include "tools/command/leak_source.h"
#include "tools/report/report_sink.h"
#include "tools/verdict/accepted_leaks.h"
#include "tools/verdict/assessment.h"
#include "tools/verdict/built_in_suppressions.h"
#include "tools/verdict/leak_diff.h"
#include "tools/verdict/suppressing.h"
#include "tools/verdict/suppression_file.h"
#include "tools/verdict/suppression_writing.h"
#include "tools/wording/escape.h"

namespace mallocspy {

absl::StatusOr<Acceptance> Acceptance::Read(const Settings& settings) {
  Acceptance acceptance;
  acceptance.settings_ = settings;
  for (const std::string& path : settings.suppressions) {
    absl::StatusOr<std::vector<Suppression>> read = ReadSuppressions(path);
    if (!read.ok()) return read.status();
    std::move(read->begin(), read->end(), std::back_inserter(acceptance.suppressions_));
  }
  if (settings.builtin_suppressions) {
    std::vector<Suppression> built_in = BuiltInSuppressions();
    for (Suppression& suppression : built_in) {
      // What can still be reached and is no failure need not be named, and is then shown as it is.
      if (settings.fail_on.Includes(LeakClass::kReachable)) break;
      suppression.classes = {LeakClass::kDefinite, LeakClass::kIndirect, LeakClass::kPossible};
    }
    std::move(built_in.begin(), built_in.end(), std::back_inserter(acceptance.suppressions_));
  }
  if (!settings.baseline.empty()) {
    absl::StatusOr<std::vector<Leak>> baseline = ReadLeaks(settings.baseline);
    if (!baseline.ok()) return baseline.status();
    acceptance.baseline_ = *std::move(baseline);
  }
  return acceptance;
}

uint64_t Acceptance::leaks_to_name() const {
  const bool reachable_too = settings_.builtin_suppressions && settings_.fail_on.Includes(LeakClass::kReachable);
  const bool all = reachable_too || !settings_.suppressions.empty() || !settings_.baseline.empty() ||
                   settings_.write_suppressions.has_value();
  return all ? kAllLeaks : settings_.most_leaks();
}

std::vector<Suppression> Acceptance::WithPrograms(const std::vector<Findings>& reports) const {
  std::vector<Suppression> all = suppressions_;
  std::set<std::string> known;
  for (const Findings* const process : EveryProcess(reports)) {
    const std::string& text = process->process.suppressions;
    if (text.empty() || !known.insert(text).second) continue;
    const std::string source = absl::StrCat("__lsan_default_suppressions() of ", process->process.exe);
    absl::StatusOr<std::vector<Suppression>> read = ParseSuppressions(text, source);
    if (!read.ok()) {
      Complain(absl::StrCat(Escaped(std::string(read.status().message())), "; it is left out"));
      continue;
    }
    std::move(read->begin(), read->end(), std::back_inserter(all));
  }
  return all;
}

bool Acceptance::Apply(Command command, std::vector<Findings>* reports) const {
  if (!settings_.builtin_suppressions) {
    for (Findings* const process : EveryProcess(reports)) {
      for (Leak& leak : process->leaks) {
        if (leak.suppressed_by == kCachesSuppression) leak.suppressed_by = leak.suppressed_because = "";
      }
    }
  }
  (*reports)[0].suppressions = Suppress(WithPrograms(*reports), absl::ToCivilDay(absl::Now(), absl::UTCTimeZone()), reports);
  if (!settings_.baseline.empty()) CompareWithBaseline(baseline_, settings_.baseline, reports);
  SetAsideAccepted(reports);
  return !settings_.write_suppressions.has_value() || WriteSuppressions(command, *reports);
}

bool Acceptance::WriteSuppressions(Command command, const std::vector<Findings>& reports) const {
  const std::string text = SuppressionsFor(reports, settings_.fail_on);
  const std::string path = ExpandPath(*settings_.write_suppressions, reports[0].process.pid);
  // The standard output of `run` is the program's.
  const bool to_output = path == "-" || (path.empty() && command == Command::kReport);
  const absl::Status written = to_output      ? WriteAll(STDOUT_FILENO, text)
                               : path.empty() ? WriteAll(STDERR_FILENO, text)
                                              : WriteReportFile(path, text);
  if (!written.ok()) Complain(absl::StrCat("the suppressions could not be written (", written.message(), ")"));
  return written.ok();
}

int Acceptance::Strict(int status, const std::vector<SuppressionUse>& uses) const {
  if (status != kExitClean || !settings_.strict_suppressions || settings_.fail_on.none()) return status;
  const bool stale = std::any_of(uses.begin(), uses.end(),
                                 [](const SuppressionUse& use) { return use.state != SuppressionUse::State::kUsed; });
  return stale ? kExitStale : status;
}

}  // namespace mallocspy

#include "tools/verdict/fail_on.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tools/wording/nearest.h"

namespace mallocspy {
namespace {

constexpr LeakClass kClasses[] = {LeakClass::kDefinite, LeakClass::kIndirect, LeakClass::kPossible, LeakClass::kReachable,
                                  LeakClass::kUnknown};

bool HasLeak(const Findings& findings, const FailOn& fail_on) {
  for (const LeakClass leak_class : kClasses) {
    if (findings.Of(leak_class).blocks != 0 && fail_on.Includes(leak_class)) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<FailOn> FailOn::Parse(absl::string_view list) {
  FailOn result;
  result.errors_ = false;
  result.definite_ = false;
  const std::vector<std::string> words = absl::StrSplit(list, ',');
  for (const std::string& word : words) {
    if (word == "none") {
      result.none_ = true;
    } else if (word == "any") {
      result.any_ = true;
      result.errors_ = true;
    } else if (word == "definite") {
      result.definite_ = true;
    } else if (word == "possible") {
      result.possible_ = true;
    } else if (word == "reachable") {
      result.reachable_ = true;
    } else if (word == "errors") {
      result.errors_ = true;
    } else {
      return absl::InvalidArgumentError(
          NotAmong("--fail-on", word, {"none", "any", "definite", "possible", "reachable", "errors"}));
    }
  }
  if (result.none_ && words.size() > 1) {
    return absl::InvalidArgumentError("--fail-on=none cannot be combined with other words");
  }
  return result;
}

bool FailOn::Includes(LeakClass leak_class) const {
  if (any_) return true;
  switch (leak_class) {
    case LeakClass::kDefinite:
    case LeakClass::kIndirect:
      return definite_;
    case LeakClass::kPossible:
      return possible_;
    case LeakClass::kReachable:
      return reachable_;
    case LeakClass::kUnknown:
      return false;
  }
  return false;
}

bool FailOn::Undecided(const Findings& findings) const {
  if (any_ || !(definite_ || possible_ || reachable_)) return false;
  // What exec replaced had not come to its end: what it held is no leak.
  if (findings.process.exit.kind == ProcessExit::Kind::kExec || findings.verdict.interrupted) return false;
  return findings.Of(LeakClass::kUnknown).blocks != 0;
}

int FailOn::ExitStatus(const Findings& findings) const {
  if (none_) return kExitClean;
  bool errors = false, leaks = false, incomplete = findings.verdict.judged && findings.verdict.interrupted;
  const auto add = [&](const Findings& process) {
    // Whoever is not judged may have started one that would be.
    incomplete = incomplete || process.verdict.unseen;
    if (!process.verdict.judged) return;
    errors = errors || !process.errors.empty() || process.totals.errors_dropped != 0;
    leaks = leaks || HasLeak(process, *this);
    // Helpers killed by their parent, or still running when it ended, are ordinary; all that they did was recorded.
    incomplete = incomplete || process.verdict.unchecked || Undecided(process);
  };
  add(findings);
  for (const Findings& child : findings.children) add(child);
  if (errors && errors_) return kExitErrors;
  if (leaks) return kExitLeaks;
  return incomplete ? kExitIncomplete : kExitClean;
}

}  // namespace mallocspy

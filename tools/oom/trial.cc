#include "tools/oom/trial.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "tools/report/error_text.h"
#include "tools/report/leak_text.h"
#include "tools/wording/count.h"

namespace mallocspy {
namespace {

// What stays the same of a problem from run to run.
std::string Signature(absl::string_view headline, const std::vector<Frame>& frames) {
  std::string signature(headline.substr(0, headline.find(' ')));
  for (const Frame& frame : frames) absl::StrAppend(&signature, "\n", frame.module, "+", frame.offset);
  return signature;
}

void RemoveKnown(const std::vector<Problem>& known, std::vector<Problem>* problems) {
  std::multiset<std::string> signatures;
  for (const Problem& problem : known) signatures.insert(Signature(problem.headline, problem.frames));
  const auto is_known = [&signatures](const Problem& problem) {
    const auto found = signatures.find(Signature(problem.headline, problem.frames));
    if (found == signatures.end()) return false;
    signatures.erase(found);
    return true;
  };
  problems->erase(std::remove_if(problems->begin(), problems->end(), is_known), problems->end());
}

}  // namespace

absl::string_view NameOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kUnreached:
      return "unreached";
    case Outcome::kHandled:
      return "handled";
    case Outcome::kLeaked:
      return "leaked";
    case Outcome::kMisused:
      return "misused";
    case Outcome::kHung:
      return "hung";
    case Outcome::kCrashed:
      return "crashed";
  }
  return "";
}

std::optional<Outcome> OutcomeNamed(absl::string_view name) {
  for (int i = 0; i <= static_cast<int>(kLastOutcome); ++i) {
    if (name == NameOf(static_cast<Outcome>(i))) return static_cast<Outcome>(i);
  }
  return std::nullopt;
}

bool IsStackId(absl::string_view text) {
  return text.size() == 16 && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isdigit(static_cast<unsigned char>(c)) || (c >= 'a' && c <= 'f');
         });
}

RunResult ResultOf(const Findings& findings, bool hung) {
  RunResult result;
  if (findings.process.exit.kind == ProcessExit::Kind::kSignal) {
    result.signal = findings.process.exit.value;
  } else {
    result.exit_code = findings.process.exit.value;
  }
  result.hung = hung;
  result.struck = findings.process.crash;
  result.live_blocks = findings.totals.live_blocks;
  result.live_bytes = findings.totals.live_bytes;
  result.seen = !findings.verdict.unchecked && !findings.verdict.interrupted;
  for (const LeakClass leak_class : {LeakClass::kDefinite, LeakClass::kIndirect}) {
    result.lost_blocks += findings.Of(leak_class).blocks;
    result.lost_bytes += findings.Of(leak_class).bytes;
  }
  for (const HeapError& error : findings.errors) result.errors.push_back({ErrorHeadline(error), error.where});
  for (const Leak& leak : findings.leaks) {
    if (leak.leak_class != LeakClass::kDefinite && leak.leak_class != LeakClass::kIndirect) continue;
    result.leaks.push_back(
        {absl::StrCat("lost ", Count(leak.blocks, "block"), " of ", Count(leak.bytes, "byte"), " made by ", NameOf(leak.door)), leak.frames});
  }
  return result;
}

Outcome Judge(const RunResult& baseline, bool reached, RunResult* result) {
  RemoveKnown(baseline.errors, &result->errors);
  RemoveKnown(baseline.leaks, &result->leaks);
  if (result->hung) return Outcome::kHung;
  if (result->signal != 0 && result->signal != baseline.signal) return Outcome::kCrashed;
  if (!reached && result->seen) return Outcome::kUnreached;
  if (!result->errors.empty()) return Outcome::kMisused;
  // A program that gives up may leave everything where it is, as long as it knows where; one that goes on has to clean up.
  const bool went_on = result->signal == baseline.signal && result->exit_code == baseline.exit_code;
  if (result->lost_blocks > baseline.lost_blocks || (went_on && result->live_blocks > baseline.live_blocks)) return Outcome::kLeaked;
  return Outcome::kHandled;
}

}  // namespace mallocspy

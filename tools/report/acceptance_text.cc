#include "tools/report/acceptance_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/wording/count.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

constexpr size_t kMostUnusedNames = 5;

// "name (file.supp:12)"
std::string Named(const SuppressionUse& use) {
  return absl::StrCat(Escaped(use.name), " (", Escaped(use.file), use.line > 0 ? absl::StrCat(":", use.line) : "", ")");
}

std::string Amount(const SuppressionUse& use) {
  return absl::StrCat(Count(use.blocks, "block"), " (", Count(use.bytes, "byte"), ")");
}

// One sentence for all: a file may be meant for many programs, each of which has use for a few of its lines.
std::string UnusedSentence(const std::vector<const SuppressionUse*>& unused) {
  std::vector<std::string> names;
  for (const SuppressionUse* const use : unused) {
    if (names.size() < kMostUnusedNames) names.push_back(Named(*use));
  }
  const size_t more = unused.size() - names.size();
  return absl::StrCat(Count(unused.size(), "suppression"), " matched nothing: ", absl::StrJoin(names, ", "),
                      more == 0 ? "" : absl::StrCat(" and ", more, " more"), ".");
}

}  // namespace

std::string AcceptedText(const Findings& findings) {
  std::vector<std::string> parts;
  if (findings.known_leaks != 0) parts.push_back(absl::StrCat(findings.known_leaks, " known from the baseline"));
  if (findings.suppressed_leaks != 0) parts.push_back(absl::StrCat(findings.suppressed_leaks, " suppressed"));
  return absl::StrJoin(parts, ", ");
}

std::string WhyAccepted(const Leak& leak) {
  if (!leak.suppressed_by.empty()) {
    return absl::StrCat("suppressed by ", Escaped(leak.suppressed_by), leak.suppressed_because.empty() ? "" : ": ",
                        Escaped(leak.suppressed_because));
  }
  return leak.accepted() ? "known from the baseline" : "";
}

std::vector<std::string> AcceptanceSentences(const Findings& first) {
  std::vector<std::string> sentences;
  std::vector<const SuppressionUse*> unused;
  for (const SuppressionUse& use : first.suppressions) {
    switch (use.state) {
      case SuppressionUse::State::kUsed:
        sentences.push_back(absl::StrCat("suppressed: ", Amount(use), " by ", Named(use),
                                         use.reason.empty() ? "" : ": ", Escaped(use.reason), "."));
        break;
      case SuppressionUse::State::kUnused:
        unused.push_back(&use);
        break;
      case SuppressionUse::State::kExpired:
        sentences.push_back(absl::StrCat("the suppression ", Named(use), " has expired; it ",
                                         use.blocks == 0 ? "matched nothing" : "would have matched " + Amount(use),
                                         "."));
        break;
      case SuppressionUse::State::kExceeded:
        sentences.push_back(absl::StrCat("the suppression ", Named(use), " matched ", Amount(use),
                                         ", more than its ceiling, so it suppressed nothing."));
        break;
    }
  }
  if (!unused.empty()) sentences.push_back(UnusedSentence(unused));
  if (first.baseline.has_value()) {
    const BaselineSummary& baseline = *first.baseline;
    sentences.push_back(absl::StrCat("since the baseline ", Escaped(baseline.file), ": ", baseline.fresh, " new, ",
                                     baseline.grown, " grown, ", baseline.known, " known, ", baseline.gone, " gone."));
  }
  return sentences;
}

}  // namespace mallocspy

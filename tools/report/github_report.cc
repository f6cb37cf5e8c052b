#include "tools/report/github_report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tools/report/error_text.h"
#include "tools/report/leak_text.h"
#include "tools/report/severity.h"
#include "tools/report/summary_text.h"
#include "tools/report/text_report.h"
#include "tools/report/text_stack.h"
#include "tools/verdict/process_summary.h"
#include "tools/wording/count.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

constexpr size_t kMostAnnotations = 10;  // of one kind that GitHub keeps of a step
constexpr size_t kMostFrames = 16;       // of a stack in an annotation

std::string CommandMessage(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"%", "%25"}, {"\r", "%0D"}, {"\n", "%0A"}});
}

std::string CommandProperty(absl::string_view text) {
  return absl::StrReplaceAll(CommandMessage(text), {{":", "%3A"}, {",", "%2C"}});
}

absl::string_view CommandName(Severity severity) {
  return severity == Severity::kError ? "error" : severity == Severity::kWarning ? "warning" : "notice";
}

std::string Stack(const std::vector<Frame>& frames) {
  if (frames.size() <= kMostFrames) {
    std::string text;
    AppendStack(frames, &text);
    return text;
  }
  std::string text;
  AppendStack({frames.begin(), frames.begin() + kMostFrames}, &text);
  return absl::StrCat(text, "    ... and ", Count(frames.size() - kMostFrames, "more frame"), "\n");
}

// `message` is escaped text of one or more lines.
std::string Annotation(Severity severity, const Frame* place, absl::string_view title, absl::string_view message,
                       SourceRoot* root) {
  std::string line = absl::StrCat("::", CommandName(severity), " ");
  if (place != nullptr) {
    absl::StrAppend(&line, "file=", CommandProperty(Escaped(root->Within(place->file))), ",");
    if (place->line > 0) absl::StrAppend(&line, "line=", place->line, ",");
    if (place->line > 0 && place->column > 0) absl::StrAppend(&line, "col=", place->column, ",");
  }
  while (!message.empty() && message.back() == '\n') message.remove_suffix(1);
  return absl::StrCat(line, "title=", CommandProperty(absl::StrCat("mallocspy: ", title)),
                      "::", CommandMessage(message), "\n");
}

std::string ErrorAnnotation(const MergedError& merged, SourceRoot* root) {
  const HeapError& error = merged.error;
  const std::vector<NamedStack> stacks = ErrorStacks(error);
  const Frame* place = nullptr;
  std::string message = absl::StrCat(ErrorHeadline(error), InHowMany(merged.in), "\n");
  for (const NamedStack& stack : stacks) {
    absl::StrAppend(&message, stack.name, "\n", Stack(*stack.frames));
    if (place == nullptr) place = root->FirstOwn(*stack.frames);
  }
  return Annotation(Severity::kError, place, error.kind, message, root);
}

std::string LeakAnnotation(const MergedLeak& merged, SourceRoot* root) {
  const Leak& leak = merged.leak;
  const std::string headline = absl::StrCat(LeakHeadline(leak), InHowMany(merged.in));
  return Annotation(SeverityOf(leak.leak_class), root->FirstOwn(leak.frames), headline,
                    absl::StrCat(headline, "\n", Stack(leak.frames)), root);
}

// Loudest first and of those the largest first.
std::vector<const MergedLeak*> SortedLeaks(const ProcessSummary& summary) {
  std::vector<const MergedLeak*> leaks;
  for (const MergedLeak& leak : summary.leaks) leaks.push_back(&leak);
  std::stable_sort(leaks.begin(), leaks.end(), [](const MergedLeak* left, const MergedLeak* right) {
    const Severity left_severity = SeverityOf(left->leak.leak_class),
                   right_severity = SeverityOf(right->leak.leak_class);
    return left_severity != right_severity ? left_severity < right_severity : left->leak.bytes > right->leak.bytes;
  });
  return leaks;
}

}  // namespace

std::string GithubReport(const std::vector<Findings>& reports, SourceRoot* root) {
  const ProcessSummary summary = Summarize(reports);
  std::string text;
  size_t shown = 0;
  uint64_t all = summary.errors.size() + summary.leaks.size() + summary.unlisted_leaks;
  for (const std::vector<const Findings*>* group : {&summary.subjects, &summary.unfinished}) {
    for (const Findings* process : *group) {
      all += process->totals.errors_dropped;
      if (process->verdict.status != Status::kIncomplete) continue;
      ++all;
      if (shown == kMostAnnotations) continue;
      absl::StrAppend(&text, Annotation(Severity::kError, nullptr, "incomplete", Answer(*process), root));
      ++shown;
    }
  }
  for (const MergedError& error : summary.errors) {
    if (shown == kMostAnnotations) break;
    absl::StrAppend(&text, ErrorAnnotation(error, root));
    ++shown;
  }
  for (const MergedLeak* leak : SortedLeaks(summary)) {
    if (shown == kMostAnnotations) break;
    absl::StrAppend(&text, LeakAnnotation(*leak, root));
    ++shown;
  }
  if (all > shown) {
    absl::StrAppend(&text, Annotation(Severity::kNote, nullptr, "more",
                                      absl::StrCat(Count(all - shown, "more finding"),
                                                   "; the other formats of the report list them"),
                                      root));
  }
  if (all == 0) absl::StrAppend(&text, Annotation(Severity::kNote, nullptr, "clean", Answer(summary), root));
  return text;
}

}  // namespace mallocspy

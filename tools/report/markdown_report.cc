#include "tools/report/markdown_report.h"

#include "absl/strings/str_cat.h"
#include "tools/report/acceptance_text.h"
#include "tools/report/error_text.h"
#include "tools/report/leak_text.h"
#include "tools/report/summary_text.h"
#include "tools/report/text_report.h"
#include "tools/report/text_stack.h"
#include "tools/verdict/process_summary.h"
#include "tools/wording/markup.h"

namespace mallocspy {
namespace {

// `text` is shown as it is, line by line, below a line that unfolds it.
void AppendFolded(absl::string_view summary, absl::string_view text, std::string* markdown) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  absl::StrAppend(markdown, "<details><summary>", summary, "</summary>\n\n<pre>\n", MarkupText(text),
                  "\n</pre>\n</details>\n\n");
}

// The function, and the file as the user knows it.
std::string Place(const std::vector<Frame>& frames, SourceRoot* root) {
  const Frame* const own = root->FirstOwn(frames);
  if (own == nullptr) return PlaceText(frames, nullptr);
  Frame shown = *own;
  shown.file = root->Within(own->file);
  return PlaceText(frames, &shown);
}

std::string SummaryOf(absl::string_view title, const std::vector<Frame>& frames, SourceRoot* root) {
  return absl::StrCat("<code>", MarkupText(title), "</code> in <code>", MarkupText(Place(frames, root)), "</code>");
}

// The column for `in` stands only in tables of several processes.
std::string ProcessesCell(const ProcessSummary& summary, size_t processes) {
  return summary.subjects.size() > 1 ? absl::StrCat(" ", processes, " |") : "";
}

void AppendErrors(const ProcessSummary& summary, SourceRoot* root, std::string* markdown) {
  if (summary.errors.empty()) return;
  const bool several = summary.subjects.size() > 1;
  absl::StrAppend(markdown, "### Heap errors\n\n| error |", several ? " processes |" : "", " times | where |\n|---|",
                  several ? "--:|" : "", "--:|---|\n");
  const std::vector<Frame> unknown;
  for (const MergedError& merged : summary.errors) {
    const std::vector<NamedStack> stacks = ErrorStacks(merged.error);
    absl::StrAppend(markdown, "| ", MarkdownCell(merged.error.kind), " |", ProcessesCell(summary, merged.in.size()),
                    " ", merged.error.count, " | ",
                    MarkdownCell(Place(stacks.empty() ? unknown : *stacks[0].frames, root)), " |\n");
  }
  absl::StrAppend(markdown, "\n");
  for (const MergedError& merged : summary.errors) {
    const std::vector<NamedStack> stacks = ErrorStacks(merged.error);
    std::string text;
    AppendError(merged.error, merged.in[0]->process.pid, kPlain, &text);
    if (several) absl::StrAppend(&text, InProcesses(merged.in), "\n");
    AppendFolded(SummaryOf(merged.error.kind, stacks.empty() ? unknown : *stacks[0].frames, root), text, markdown);
  }
}

void AppendLeaks(const ProcessSummary& summary, SourceRoot* root, std::string* markdown) {
  if (summary.leaks.empty() && summary.unlisted_leaks == 0) return;
  const bool several = summary.subjects.size() > 1;
  absl::StrAppend(markdown, "### Leaks\n\n| class |", several ? " processes |" : "", " blocks | bytes | where |\n|---|",
                  several ? "--:|" : "", "--:|--:|---|\n");
  BlockTotal all = summary.unlisted;
  for (const MergedLeak& merged : summary.leaks) {
    const Leak& leak = merged.leak;
    all.blocks += leak.blocks;
    all.bytes += leak.bytes;
    absl::StrAppend(markdown, "| ", NameOf(leak.leak_class), " |", ProcessesCell(summary, merged.in.size()), " ",
                    leak.blocks, " | ", leak.bytes, " | ", MarkdownCell(Place(leak.frames, root)), " |\n");
  }
  absl::StrAppend(markdown, "| **all** |", ProcessesCell(summary, summary.subjects.size()), " ", all.blocks, " | ",
                  all.bytes, " | |\n\n");
  if (const std::string unlisted = UnlistedLeaks(summary); !unlisted.empty()) {
    absl::StrAppend(markdown, "Not listed: ", unlisted, "; `--top=N` shows more of them.\n\n");
  }
  for (const MergedLeak& merged : summary.leaks) {
    const Leak& leak = merged.leak;
    std::string text = absl::StrCat(LeakHeadline(leak), ", id ", leak.id, "\n");
    AppendStack(leak.frames, &text);
    if (several) absl::StrAppend(&text, InProcesses(merged.in), "\n");
    AppendFolded(SummaryOf(LeakHeadline(leak), leak.frames, root), text, markdown);
  }
}

// What became of suppressions and baseline.
void AppendAcceptance(const Findings& first, std::string* markdown) {
  const std::vector<std::string> sentences = AcceptanceSentences(first);
  if (sentences.empty()) return;
  absl::StrAppend(markdown, "### Accepted\n\n");
  for (const std::string& sentence : sentences) absl::StrAppend(markdown, "- ", MarkdownCode(sentence), "\n");
  absl::StrAppend(markdown, "\n");
}

void AppendProcesses(const ProcessSummary& summary, SourceRoot* root, std::string* markdown) {
  absl::StrAppend(markdown, "## mallocspy: ", NameOf(summary.status), "\n\n", MarkdownCode(Answer(summary)), "\n\n");
  AppendErrors(summary, root, markdown);
  AppendLeaks(summary, root, markdown);
  std::string receipt;
  AppendReceipt(summary, kPlain, &receipt);
  AppendFolded("Totals", receipt, markdown);
}

}  // namespace

std::string MarkdownReport(const std::vector<Findings>& reports, SourceRoot* root) {
  const ProcessSummary summary = Summarize(reports);
  std::string markdown;
  std::vector<const Findings*> shown;
  if (!summary.subjects.empty()) {
    ProcessSummary subjects = Summarize(summary.subjects);
    subjects.processes = summary.processes;
    subjects.status = summary.status;
    AppendProcesses(subjects, root, &markdown);
  } else {
    // The first one is what was asked for.
    const bool first = !summary.clean.empty() && summary.clean[0] == &reports[0];
    shown = first ? std::vector<const Findings*>{&reports[0]} : summary.clean;
    AppendProcesses(first ? Summarize(shown) : summary, root, &markdown);
  }
  if (!summary.unfinished.empty()) AppendProcesses(Summarize(summary.unfinished), root, &markdown);
  AppendAcceptance(reports[0], &markdown);
  for (const std::string& line : OtherProcesses(summary, shown)) absl::StrAppend(&markdown, MarkdownCode(line), "\n\n");
  return markdown;
}

}  // namespace mallocspy

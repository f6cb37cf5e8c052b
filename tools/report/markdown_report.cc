#include "tools/report/markdown_report.h"

#include "absl/strings/str_cat.h"
#include "tools/report/error_text.h"
#include "tools/report/leak_text.h"
#include "tools/report/receipt.h"
#include "tools/report/text_report.h"
#include "tools/report/text_stack.h"
#include "tools/wording/count.h"
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

void AppendErrors(const Findings& findings, SourceRoot* root, std::string* markdown) {
  if (findings.errors.empty()) return;
  absl::StrAppend(markdown, "### Heap errors\n\n| error | times | where |\n|---|--:|---|\n");
  const std::vector<Frame> unknown;
  for (const HeapError& error : findings.errors) {
    const std::vector<NamedStack> stacks = ErrorStacks(error);
    absl::StrAppend(markdown, "| ", MarkdownCell(error.kind), " | ", error.count, " | ",
                    MarkdownCell(Place(stacks.empty() ? unknown : *stacks[0].frames, root)), " |\n");
  }
  absl::StrAppend(markdown, "\n");
  for (const HeapError& error : findings.errors) {
    const std::vector<NamedStack> stacks = ErrorStacks(error);
    std::string text;
    AppendError(error, findings.process.pid, kPlain, &text);
    AppendFolded(SummaryOf(error.kind, stacks.empty() ? unknown : *stacks[0].frames, root), text, markdown);
  }
}

void AppendLeaks(const Findings& findings, SourceRoot* root, std::string* markdown) {
  if (findings.leak_groups == 0) return;
  absl::StrAppend(markdown, "### Leaks\n\n| class | blocks | bytes | where |\n|---|--:|--:|---|\n");
  for (const Leak& leak : findings.leaks) {
    absl::StrAppend(markdown, "| ", NameOf(leak.leak_class), " | ", leak.blocks, " | ", leak.bytes, " | ",
                    MarkdownCell(Place(leak.frames, root)), " |\n");
  }
  absl::StrAppend(markdown, "| **all** | ", findings.leak_blocks, " | ", findings.leak_bytes, " | |\n\n");
  if (const std::string unlisted = UnlistedLeaks(findings); !unlisted.empty()) {
    absl::StrAppend(markdown, "Not listed: ", unlisted, "; `--top=N` shows more of them.\n\n");
  }
  for (const Leak& leak : findings.leaks) {
    std::string text = absl::StrCat(LeakHeadline(leak), ", id ", leak.id, "\n");
    AppendStack(leak.frames, &text);
    AppendFolded(SummaryOf(LeakHeadline(leak), leak.frames, root), text, markdown);
  }
}

void AppendProcess(const Findings& findings, SourceRoot* root, std::string* markdown) {
  absl::StrAppend(markdown, "## mallocspy: ", NameOf(findings.verdict.status), "\n\n", MarkdownCode(Answer(findings)),
                  "\n\n");
  AppendErrors(findings, root, markdown);
  AppendLeaks(findings, root, markdown);
  std::string receipt;
  AppendReceipt(findings, kPlain, &receipt);
  AppendFolded("Totals", receipt, markdown);
}

}  // namespace

std::string MarkdownReport(const std::vector<Findings>& reports, SourceRoot* root) {
  const std::vector<const Findings*> processes = EveryProcess(reports);
  std::string markdown;
  uint64_t clean = 0, allocations = 0;
  for (const Findings* process : processes) {
    // The first one is what was asked for.
    if (process != processes[0] && process->verdict.status == Status::kClean) {
      ++clean;
      allocations += process->totals.allocations;
      continue;
    }
    AppendProcess(*process, root, &markdown);
  }
  if (clean != 0) {
    absl::StrAppend(&markdown, Count(clean, "other process is", "other processes are"), " clean (",
                    Count(allocations, "allocation"), ").\n");
  }
  return markdown;
}

}  // namespace mallocspy

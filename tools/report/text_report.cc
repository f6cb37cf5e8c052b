#include "tools/report/text_report.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/report/error_text.h"
#include "tools/report/receipt.h"
#include "tools/report/text_stack.h"
#include "tools/wording/count.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

// "prog (pid 42)"
std::string ProcessName(const Process& process) {
  const std::string& name = process.cmdline.empty() ? process.exe : process.cmdline[0];
  return absl::StrCat(name.empty() ? "the program" : Escaped(name), " (pid ", process.pid, ")");
}

std::string LeaksText(const Findings& findings) {
  return absl::StrCat(Count(findings.leak_blocks, "block"), " (", Count(findings.leak_bytes, "byte"), ")");
}

std::string ErrorsText(const Findings& findings) {
  uint64_t errors = findings.errors.size();
  return absl::StrCat(Count(errors, "heap error"), findings.totals.errors_dropped != 0 ? " and more" : "");
}

std::string Answer(const Findings& findings) {
  const std::string name = ProcessName(findings.process);
  const absl::string_view moment = findings.verdict.interrupted ? " when last seen" : " at the end";
  switch (findings.verdict.status) {
    case Status::kClean:
      return absl::StrCat("clean: ", name, " freed every block, and no heap error was met");
    case Status::kLeaks:
      return absl::StrCat("leaks: ", name, " had ", LeaksText(findings), " live", moment);
    case Status::kErrors:
      return absl::StrCat(
          "errors: ", ErrorsText(findings), " in ", name,
          findings.leak_groups == 0 ? "" : absl::StrCat(", and ", LeaksText(findings), " live", moment));
    case Status::kIncomplete:
      return absl::StrCat("incomplete: ", name, " was not checked whole: ",
                          findings.process.degraded.empty() ? "see below" : Escaped(findings.process.degraded[0]),
                          findings.leak_groups == 0 ? "" : absl::StrCat("; ", LeaksText(findings), " live", moment));
  }
  return "";
}

absl::string_view LeakHeading(LeakClass leak_class) {
  switch (leak_class) {
    case LeakClass::kDefinite:
    case LeakClass::kUnknown:  // LeakSanitizer's word, which tools look for
      return "Direct leak";
    case LeakClass::kIndirect:
      return "Indirect leak";
    case LeakClass::kPossible:
      return "Possible leak";
    case LeakClass::kReachable:
      return "Still reachable block";
  }
  return "";
}

void AppendLeak(const Leak& leak, const Palette& palette, std::string* text) {
  absl::StrAppend(text, palette.heading, LeakHeading(leak.leak_class), " of ", leak.bytes, " byte(s) in ", leak.blocks,
                  " object(s) allocated from:", palette.reset, "\n");
  AppendStack(leak.frames, text);
  std::vector<std::string> notes;
  if (leak.truncated) notes.emplace_back("outer frames are missing");
  if (leak.door != Door::kNone) notes.push_back(absl::StrCat("made by ", NameOf(leak.door)));
  if (leak.mark.value_or(0) > 1) notes.push_back(absl::StrCat("mark ", *leak.mark));
  notes.push_back(absl::StrCat("id ", leak.id));
  absl::StrAppend(text, palette.faint, "    (", absl::StrJoin(notes, ", "), ")", palette.reset, "\n\n");
}

void AppendLeaks(const Findings& findings, const Palette& palette, std::string* text) {
  if (findings.leak_groups == 0) return;
  absl::StrAppend(text, palette.error, "==", findings.process.pid, "==ERROR: mallocspy: detected memory leaks",
                  palette.reset, "\n",
                  "Every block that was live is listed; whether the program could still reach it is not known.\n\n");
  for (const Leak& leak : findings.leaks) AppendLeak(leak, palette, text);
  const uint64_t more = findings.leak_groups - findings.leaks.size();
  if (more != 0) {
    uint64_t blocks = findings.leak_blocks, bytes = findings.leak_bytes;
    for (const Leak& leak : findings.leaks) {
      blocks -= leak.blocks;
      bytes -= leak.bytes;
    }
    absl::StrAppend(text, "... and ", Count(more, "smaller leak"), " of ", Count(bytes, "byte"), " in ",
                    Count(blocks, "block"), "; --top=N shows more of them\n\n");
  }
}

void AppendSummary(const Findings& findings, std::string* text) {
  if (findings.errors.empty() && findings.leak_groups == 0) return;
  absl::StrAppend(text, "SUMMARY: mallocspy: ");
  if (!findings.errors.empty()) {
    absl::StrAppend(text, findings.errors.size(), " heap error(s)", findings.leak_groups == 0 ? ".\n" : ", ");
  }
  if (findings.leak_groups != 0) {
    absl::StrAppend(text, findings.leak_bytes, " byte(s) leaked in ", findings.leak_blocks, " allocation(s).\n");
  }
}

void AppendProcess(const Findings& findings, const Palette& palette, std::string* text) {
  const bool good = findings.verdict.status == Status::kClean;
  absl::StrAppend(text, good ? palette.good : palette.error, "mallocspy: ", Answer(findings), palette.reset, "\n");
  for (const HeapError& error : findings.errors) AppendError(error, findings.process.pid, palette, text);
  AppendLeaks(findings, palette, text);
  AppendSummary(findings, text);
  AppendReceipt(findings, palette, text);
}

// An image that exec replaced: its blocks vanished with it, so a line is enough unless it had errors.
bool WasReplaced(const Findings& findings) {
  return findings.process.exit.kind == ProcessExit::Kind::kExec && findings.verdict.status == Status::kLeaks;
}

std::string ReplacedText(const Findings& findings) {
  return absl::StrCat("mallocspy: ", ProcessName(findings.process), " had ", LeaksText(findings),
                      " live when it was replaced by ", Escaped(findings.process.exit.program), "\n");
}

}  // namespace

std::string TextReport(const Findings& findings, const Palette& palette) {
  std::string text;
  AppendProcess(findings, palette, &text);
  uint64_t clean = 0, allocations = 0;
  for (const Findings& child : findings.children) {
    if (child.verdict.status == Status::kClean) {
      ++clean;
      allocations += child.totals.allocations;
      continue;
    }
    if (WasReplaced(child)) {
      absl::StrAppend(&text, ReplacedText(child));
      continue;
    }
    absl::StrAppend(&text, "\n");
    AppendProcess(child, palette, &text);
  }
  if (clean != 0) {
    absl::StrAppend(&text, "mallocspy: ", Count(clean, "other process is", "other processes are"), " clean (",
                    Count(allocations, "allocation"), ")\n");
  }
  return text;
}

}  // namespace mallocspy

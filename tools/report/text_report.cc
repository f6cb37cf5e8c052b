#include "tools/report/text_report.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/report/error_text.h"
#include "tools/report/leak_text.h"
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

std::string BlocksText(const BlockTotal& total) {
  return absl::StrCat(Count(total.blocks, "block"), " (", Count(total.bytes, "byte"), ")");
}

std::string LiveText(const Findings& findings) { return BlocksText({findings.leak_blocks, findings.leak_bytes}); }

// What was lost, or was live where nobody knows what was lost.
std::string LeaksText(const Findings& findings) {
  if (findings.verdict.reachability == Reachability::kUnknown) return absl::StrCat(LiveText(findings), " live");
  std::vector<std::string> parts;
  const BlockTotal& definite = findings.Of(LeakClass::kDefinite);
  const BlockTotal& indirect = findings.Of(LeakClass::kIndirect);
  const BlockTotal lost = {definite.blocks + indirect.blocks, definite.bytes + indirect.bytes};
  if (lost.blocks != 0) parts.push_back(absl::StrCat(BlocksText(lost), " lost"));
  const BlockTotal& possible = findings.Of(LeakClass::kPossible);
  if (possible.blocks != 0) parts.push_back(absl::StrCat(BlocksText(possible), " possibly lost"));
  const BlockTotal& unknown = findings.Of(LeakClass::kUnknown);
  if (unknown.blocks != 0) parts.push_back(absl::StrCat(BlocksText(unknown), " of which nothing is known"));
  return absl::StrJoin(parts, ", ");
}

std::string ErrorsText(const Findings& findings) {
  uint64_t errors = findings.errors.size();
  return absl::StrCat(Count(errors, "heap error"), findings.totals.errors_dropped != 0 ? " and more" : "");
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

// "the global g_table of libfoo.so", "the stack of thread 42 (worker)"
std::string RootText(const LeakRoot& root) {
  if (root.kind == "global") {
    const std::string module = Escaped(root.module.substr(root.module.rfind('/') + 1));
    if (root.name.empty()) return absl::StrCat("a global of ", module);
    return absl::StrCat("the global ", Escaped(root.name), " of ", module);
  }
  if (root.tid != 0) {
    const std::string thread = absl::StrCat("thread ", root.tid, root.name.empty() ? "" : absl::StrCat(" (", Escaped(root.name), ")"));
    if (root.kind == "thread-local") return absl::StrCat("thread-local data of ", thread);
    return absl::StrCat("the ", root.kind, " of ", thread);
  }
  if (root.kind == "mapping" && root.address != 0) return absl::StrCat("a mapping, at 0x", absl::Hex(root.address));
  return absl::StrCat("some ", root.kind);
}

void AppendLeak(const Leak& leak, const Palette& palette, std::string* text) {
  absl::StrAppend(text, palette.heading, LeakHeading(leak.leak_class), " of ", leak.bytes, " byte(s) in ", leak.blocks,
                  " object(s) allocated from:", palette.reset, "\n");
  AppendStack(leak.frames, text);
  std::vector<std::string> notes;
  if (leak.root.has_value()) notes.push_back(absl::StrCat("held by ", RootText(*leak.root)));
  if (leak.truncated) notes.emplace_back("outer frames are missing");
  if (leak.door != Door::kNone) notes.push_back(absl::StrCat("made by ", NameOf(leak.door)));
  if (leak.mark.value_or(0) > 1) notes.push_back(absl::StrCat("mark ", *leak.mark));
  notes.push_back(absl::StrCat("id ", leak.id));
  absl::StrAppend(text, palette.faint, "    (", absl::StrJoin(notes, ", "), ")", palette.reset, "\n\n");
}

void AppendLeaks(const Findings& findings, const Palette& palette, std::string* text) {
  if (findings.Lost().blocks == 0) return;
  absl::StrAppend(text, palette.error, "==", findings.process.pid, "==ERROR: mallocspy: detected memory leaks",
                  palette.reset, "\n");
  if (findings.verdict.reachability == Reachability::kUnknown) {
    absl::StrAppend(text, "Every block that was live is listed; whether the program could still reach it is not known.\n");
  }
  absl::StrAppend(text, "\n");
  for (const Leak& leak : findings.leaks) AppendLeak(leak, palette, text);
  const std::string unlisted = UnlistedLeaks(findings);
  if (!unlisted.empty()) absl::StrAppend(text, "... and ", unlisted, "; --top=N shows more of them\n\n");
}

void AppendSummary(const Findings& findings, std::string* text) {
  const BlockTotal lost = findings.Lost();
  if (findings.errors.empty() && lost.blocks == 0) return;
  absl::StrAppend(text, "SUMMARY: mallocspy: ");
  if (!findings.errors.empty()) {
    absl::StrAppend(text, findings.errors.size(), " heap error(s)", lost.blocks == 0 ? ".\n" : ", ");
  }
  if (lost.blocks != 0) absl::StrAppend(text, lost.bytes, " byte(s) leaked in ", lost.blocks, " allocation(s).\n");
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
  return absl::StrCat("mallocspy: ", ProcessName(findings.process), " had ", LiveText(findings),
                      " live when it was replaced by ", Escaped(findings.process.exit.program), "\n");
}

// Of a process that went on.
bool IsPicture(const Findings& findings) {
  return findings.process.exit.kind == ProcessExit::Kind::kRunning && !findings.verdict.interrupted;
}

}  // namespace

std::string Answer(const Findings& findings) {
  const std::string name = ProcessName(findings.process);
  absl::string_view moment = findings.verdict.interrupted ? " when last seen" : " at the end";
  if (IsPicture(findings)) moment = " when it was looked at";
  switch (findings.verdict.status) {
    case Status::kClean:
      if (findings.leak_blocks != 0) {
        return absl::StrCat("clean: ", name, " lost no block, and no heap error was met; ", LiveText(findings), " could still be reached",
                            moment);
      }
      return absl::StrCat("clean: ", name, " freed every block, and no heap error was met");
    case Status::kLeaks:
      return absl::StrCat("leaks: ", name, " had ", LeaksText(findings), moment);
    case Status::kErrors:
      return absl::StrCat(
          "errors: ", ErrorsText(findings), " in ", name,
          findings.Lost().blocks == 0 ? "" : absl::StrCat(", and ", LeaksText(findings), moment));
    case Status::kIncomplete:
      return absl::StrCat("incomplete: ", name, " was not checked whole: ",
                          findings.process.degraded.empty() ? "see below" : Escaped(findings.process.degraded[0]),
                          findings.Lost().blocks == 0 ? "" : absl::StrCat("; ", LeaksText(findings), moment));
  }
  return "";
}

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

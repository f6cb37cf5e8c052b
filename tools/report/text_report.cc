#include "tools/report/text_report.h"

#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/report/acceptance_text.h"
#include "tools/report/error_text.h"
#include "tools/report/leak_text.h"
#include "tools/report/receipt.h"
#include "tools/report/summary_text.h"
#include "tools/report/text_stack.h"
#include "tools/verdict/assessment.h"
#include "tools/verdict/process_summary.h"
#include "tools/wording/count.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

std::string LiveText(const Findings& findings) { return BlocksText({findings.leak_blocks, findings.leak_bytes}); }

// What was lost, or was live where nobody knows what was lost.
std::string LeaksText(const Findings& findings) {
  if (findings.verdict.reachability == Reachability::kUnknown) return absl::StrCat(LiveText(findings), " live");
  return LostText(findings.by_class);
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

std::string BaselineNote(const BaselineMatch& match) {
  if (match.state == BaselineMatch::State::kNew) return "new since the baseline";
  return absl::StrCat(NameOf(match.state), " since the baseline, which has ", BlocksText({match.blocks, match.bytes}));
}

// `in` is empty if only one process is told of.
void AppendLeak(const Leak& leak, const std::vector<const Findings*>& in, const Palette& palette, std::string* text) {
  absl::StrAppend(text, palette.heading, LeakHeading(leak.leak_class), " of ", leak.bytes, " byte(s) in ", leak.blocks,
                  " object(s) allocated from:", palette.reset, "\n");
  AppendStack(leak.frames, text);
  std::vector<std::string> notes;
  if (!in.empty()) notes.push_back(InProcesses(in));
  if (leak.root.has_value()) notes.push_back(absl::StrCat("held by ", RootText(*leak.root)));
  if (leak.truncated) notes.emplace_back("outer frames are missing");
  if (leak.door != Door::kNone) notes.push_back(absl::StrCat("made by ", NameOf(leak.door)));
  if (leak.mark.value_or(0) > 1) notes.push_back(absl::StrCat("mark ", *leak.mark));
  if (leak.baseline.has_value()) notes.push_back(BaselineNote(*leak.baseline));
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
  for (const Leak& leak : findings.leaks) AppendLeak(leak, {}, palette, text);
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

void AppendCrash(const Process& process, const Palette& palette, std::string* text) {
  if (process.crash.empty()) return;
  absl::StrAppend(text, palette.heading, "killed by signal ", process.exit.value, " (", strsignal(process.exit.value), ") here:",
                  palette.reset, "\n");
  AppendStack(process.crash, text);
  absl::StrAppend(text, "\n");
}

// Allocations that were made to fail: the first of them with their stacks.
void AppendInjected(const std::vector<HeapError>& injected, const Palette& palette, std::string* text) {
  constexpr size_t kMostStacks = 10;
  if (injected.empty()) return;
  uint64_t failures = 0;
  for (const HeapError& failure : injected) failures += failure.count;
  absl::StrAppend(text, palette.heading, Count(failures, "allocation"), failures == 1 ? " was" : " were",
                  " made to fail, here:", palette.reset, "\n");
  for (size_t i = 0; i < injected.size() && i < kMostStacks; ++i) {
    absl::StrAppend(text, palette.faint, "  ", Count(injected[i].count, "time"), ", at first one of ", Count(injected[i].size, "byte"),
                    palette.reset, "\n");
    AppendStack(injected[i].where, text);
  }
  if (injected.size() > kMostStacks) {
    absl::StrAppend(text, "... and at ", Count(injected.size() - kMostStacks, "more stack"), ", which a report in JSON lists\n");
  }
  absl::StrAppend(text, "\n");
}

void AppendProcess(const Findings& findings, const Palette& palette, std::string* text) {
  const bool good = findings.verdict.status == Status::kClean;
  absl::StrAppend(text, good ? palette.good : palette.error, "mallocspy: ", Answer(findings), palette.reset, "\n");
  for (const HeapError& error : findings.errors) AppendError(error, findings.process.pid, palette, text);
  AppendLeaks(findings, palette, text);
  AppendSummary(findings, text);
  AppendCrash(findings.process, palette, text);
  AppendInjected(findings.injected, palette, text);
  AppendReceipt(findings, palette, text);
}

void AppendMergedLeaks(const ProcessSummary& summary, const Palette& palette, uint64_t most_leaks, std::string* text) {
  BlockTotal lost;
  for (const Findings* subject : summary.subjects) {
    lost.blocks += subject->Lost().blocks;
    lost.bytes += subject->Lost().bytes;
  }
  if (lost.blocks != 0) {
    absl::StrAppend(text, palette.error, "==", summary.subjects[0]->process.pid,
                    "==ERROR: mallocspy: detected memory leaks", palette.reset, "\n\n");
    uint64_t shown = 0;
    BlockTotal unlisted = summary.unlisted;
    for (const MergedLeak& leak : summary.leaks) {
      if (shown < most_leaks) {
        AppendLeak(leak.leak, leak.in, palette, text);
        ++shown;
      } else {
        unlisted.blocks += leak.leak.blocks;
        unlisted.bytes += leak.leak.bytes;
      }
    }
    if (unlisted.blocks != 0) {
      absl::StrAppend(text, "... and leaks of ", Count(unlisted.bytes, "byte"), " in ", Count(unlisted.blocks, "block"),
                      "; --top=N shows more of them\n\n");
    }
  }
  if (summary.errors.empty() && lost.blocks == 0) return;
  absl::StrAppend(text, "SUMMARY: mallocspy: ");
  if (!summary.errors.empty()) {
    absl::StrAppend(text, summary.errors.size(), " heap error(s)", lost.blocks == 0 ? "" : ", ");
  }
  if (lost.blocks != 0) absl::StrAppend(text, lost.bytes, " byte(s) leaked in ", lost.blocks, " allocation(s)");
  absl::StrAppend(text, " in ", ProcessesText(summary.subjects), ".\n");
}

// Processes of which there is something to tell, what they share only once.
void AppendProcesses(const ProcessSummary& summary, const Palette& palette, uint64_t most_leaks, std::string* text) {
  if (summary.subjects.size() == 1) {
    AppendProcess(*summary.subjects[0], palette, text);
    return;
  }
  absl::StrAppend(text, palette.error, "mallocspy: ", Answer(summary), palette.reset, "\n");
  for (const MergedError& error : summary.errors) {
    std::string one;
    AppendError(error.error, error.in[0]->process.pid, palette, &one);
    one.pop_back();  // the empty line comes behind what is added
    absl::StrAppend(text, one, "    (", InProcesses(error.in), ")\n\n");
  }
  AppendMergedLeaks(summary, palette, most_leaks, text);
  AppendReceipt(summary, palette, text);
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
  const std::string accepted = AcceptedText(findings);
  const std::string besides = accepted.empty() ? "" : absl::StrCat(" (besides: ", accepted, ")");
  switch (findings.verdict.status) {
    case Status::kClean:
      if (!accepted.empty()) {
        return absl::StrCat("clean: no ", findings.baseline.has_value() ? "new leaks, " : "leaks but ", accepted, ", in ", name,
                            ", and no heap error was met");
      }
      if (findings.leak_blocks != 0) {
        return absl::StrCat("clean: ", name, " lost no block, and no heap error was met; ", LiveText(findings), " could still be reached",
                            moment);
      }
      return absl::StrCat("clean: ", name, " freed every block, and no heap error was met");
    case Status::kLeaks:
      return absl::StrCat("leaks: ", name, " had ", LeaksText(findings), moment,
                          findings.baseline.has_value() ? ", new or grown since the baseline" : "", besides);
    case Status::kErrors:
      return absl::StrCat(
          "errors: ", ErrorsText(findings), " in ", name,
          findings.Lost().blocks == 0 ? "" : absl::StrCat(", and ", LeaksText(findings), moment), besides);
    case Status::kIncomplete:
      return absl::StrCat("incomplete: ", name, " was not checked whole: ",
                          findings.process.degraded.empty() ? "see below" : Escaped(findings.process.degraded[0]),
                          findings.Lost().blocks == 0 ? "" : absl::StrCat("; ", LeaksText(findings), moment), besides);
  }
  return "";
}

std::string TextReport(const std::vector<Findings>& reports, const Palette& palette, uint64_t most_leaks) {
  const ProcessSummary summary = Summarize(reports);
  std::vector<const Findings*> shown;  // of the clean ones
  std::string text;
  if (!summary.subjects.empty()) {
    ProcessSummary subjects = Summarize(summary.subjects);
    subjects.processes = summary.processes;
    subjects.status = summary.status;
    AppendProcesses(subjects, palette, most_leaks, &text);
  } else if (!summary.clean.empty() && (summary.clean[0] == &reports[0] || summary.clean.size() == 1)) {
    shown = {summary.clean[0]};
    AppendProcess(*summary.clean[0], palette, &text);
  } else {
    absl::StrAppend(&text, palette.good, "mallocspy: ", Answer(summary), palette.reset, "\n");
    AppendReceipt(summary, palette, &text);
    shown = summary.clean;
  }
  if (!summary.unfinished.empty()) {
    if (!text.empty()) text += "\n";
    AppendProcesses(Summarize(summary.unfinished), palette, most_leaks, &text);
  }
  for (const std::string& line : OtherProcesses(summary, shown)) absl::StrAppend(&text, "mallocspy: ", line, "\n");
  return text;
}

std::string TextReport(const Findings& findings, const Palette& palette) {
  return TextReport(std::vector<Findings>{findings}, palette, kAllLeaks);
}

}  // namespace mallocspy

#include "tools/report/summary_text.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/report/receipt.h"
#include "tools/report/text_report.h"
#include "tools/wording/count.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

constexpr size_t kMostNames = 4;  // of programs in a sentence

// As the user called it, without its folder.
std::string ProgramName(const Process& process) {
  const std::string& path = process.cmdline.empty() || process.cmdline[0].empty() ? process.exe : process.cmdline[0];
  const std::string name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  return name.empty() ? "the program" : Escaped(name);
}

// "make, sh and 3 more", in the order in which they come.
std::string ProgramNames(const std::vector<const Findings*>& processes) {
  std::vector<std::string> names;
  for (const Findings* process : processes) {
    std::string name = ProgramName(process->process);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  }
  if (names.size() <= kMostNames) return absl::StrJoin(names, ", ");
  const size_t more = names.size() - kMostNames + 1;
  names.resize(kMostNames - 1);
  return absl::StrCat(absl::StrJoin(names, ", "), " and ", more, " more");
}

std::string Processes(uint64_t number) { return Count(number, "process", "processes"); }

uint64_t CountPids(const std::vector<const Findings*>& images) {
  absl::flat_hash_set<uint32_t> pids;
  for (const Findings* image : images) pids.insert(image->process.pid);
  return pids.size();
}

// "3 of 14 processes"
std::string SubjectsText(const ProcessSummary& summary) {
  const uint64_t subjects = CountPids(summary.subjects);
  return subjects >= summary.processes ? Processes(subjects)
                                       : absl::StrCat(subjects, " of ", Processes(summary.processes));
}

bool OfUnknownReach(const ProcessSummary& summary) {
  return std::all_of(summary.subjects.begin(), summary.subjects.end(),
                     [](const Findings* subject) { return subject->verdict.reachability == Reachability::kUnknown; });
}

std::string LeaksText(const ProcessSummary& summary) {
  if (!OfUnknownReach(summary) || summary.Of(LeakClass::kUnknown).blocks == 0) return LostText(summary.by_class);
  return absl::StrCat(BlocksText(summary.Of(LeakClass::kUnknown)), " live");
}

std::string CleanAnswer(const ProcessSummary& summary) {
  BlockTotal live;
  for (const Findings* process : summary.clean) {
    live.blocks += process->leak_blocks;
    live.bytes += process->leak_bytes;
  }
  if (summary.clean.empty()) return "clean: no process that came to its end lost a block, and no heap error was met";
  const std::string what = Processes(summary.clean.size());
  if (live.blocks == 0) return absl::StrCat("clean: ", what, " freed every block, and no heap error was met");
  return absl::StrCat("clean: ", what, " lost no block, and no heap error was met; ", BlocksText(live),
                      " could still be reached at the end");
}

std::string ReplacedText(const std::vector<const Findings*>& replaced) {
  BlockTotal live;
  for (const Findings* image : replaced) {
    live.blocks += image->leak_blocks;
    live.bytes += image->leak_bytes;
  }
  if (replaced.size() == 1) {
    return absl::StrCat(ProcessName(replaced[0]->process), " had ", BlocksText(live), " live when it was replaced by ",
                        Escaped(replaced[0]->process.exit.program));
  }
  return absl::StrCat(Count(replaced.size(), "program"), " (", ProgramNames(replaced), ") had ", BlocksText(live),
                      " live when exec replaced them");
}

std::string NotJudgedText(const std::vector<const Findings*>& not_judged) {
  uint64_t processes = 0, bad = 0;
  for (const Findings* image : not_judged) {
    if (image->process.exit.kind == ProcessExit::Kind::kExec) continue;
    ++processes;
    if (image->verdict.status == Status::kLeaks || image->verdict.status == Status::kErrors) ++bad;
  }
  if (processes == 0) return "";
  return absl::StrCat("not judged: ", Processes(processes), " of other programs (", ProgramNames(not_judged), ")",
                      bad == 0 ? "" : absl::StrCat(", ", bad, " with leaks or heap errors; --judge=all judges all"));
}

// Sentences that say what is missing, each once, with the number of processes of which it is said.
void AppendShortcomings(const std::vector<const Findings*>& processes, std::string* text) {
  std::vector<std::pair<std::string, std::vector<const Findings*>>> sentences;
  absl::flat_hash_map<std::string, size_t> known;
  for (const Findings* process : processes) {
    for (const std::string& sentence : process->process.degraded) {
      const auto [at, added] = known.try_emplace(sentence, sentences.size());
      if (added) sentences.push_back({sentence, {}});
      sentences[at->second].second.push_back(process);
    }
  }
  for (const auto& [sentence, in] : sentences) {
    absl::StrAppend(text, "  degraded ", InProcesses(in), ": ", Escaped(sentence), "\n");
  }
}

}  // namespace

std::string ProcessName(const Process& process) {
  const std::string& name = process.cmdline.empty() ? process.exe : process.cmdline[0];
  return absl::StrCat(name.empty() ? "the program" : Escaped(name), " (pid ", process.pid, ")");
}

std::string BlocksText(const BlockTotal& total) {
  return absl::StrCat(Count(total.blocks, "block"), " (", Count(total.bytes, "byte"), ")");
}

std::string LostText(const BlockTotal by_class[5]) {
  const auto of = [by_class](LeakClass leak_class) { return by_class[static_cast<size_t>(leak_class)]; };
  std::vector<std::string> parts;
  const BlockTotal definite = of(LeakClass::kDefinite), indirect = of(LeakClass::kIndirect);
  const BlockTotal lost = {definite.blocks + indirect.blocks, definite.bytes + indirect.bytes};
  if (lost.blocks != 0) parts.push_back(absl::StrCat(BlocksText(lost), " lost"));
  const BlockTotal possible = of(LeakClass::kPossible), unknown = of(LeakClass::kUnknown);
  if (possible.blocks != 0) parts.push_back(absl::StrCat(BlocksText(possible), " possibly lost"));
  if (unknown.blocks != 0) parts.push_back(absl::StrCat(BlocksText(unknown), " of which nothing is known"));
  return absl::StrJoin(parts, ", ");
}

std::string Answer(const ProcessSummary& summary) {
  if (summary.subjects.size() == 1) return Answer(*summary.subjects[0]);
  if (summary.subjects.empty()) {
    if (summary.clean.size() == 1) return Answer(*summary.clean[0]);
    return CleanAnswer(summary);
  }
  const std::string leaks = LeaksText(summary);
  const std::string and_leaks = leaks.empty() ? "" : absl::StrCat("; ", leaks, " at the end");
  uint64_t dropped = 0;
  for (const Findings* subject : summary.subjects) dropped += subject->totals.errors_dropped;
  switch (summary.status) {
    case Status::kErrors:
      return absl::StrCat("errors: ", Count(summary.errors.size(), "heap error"), dropped != 0 ? " and more" : "",
                          " in ", SubjectsText(summary), and_leaks);
    case Status::kLeaks:
      return absl::StrCat("leaks: ", SubjectsText(summary), " had ", leaks, " at the end");
    case Status::kIncomplete:
    case Status::kClean:
      break;
  }
  const std::vector<std::string>& degraded = summary.subjects[0]->process.degraded;
  return absl::StrCat("incomplete: ", SubjectsText(summary),
                      " were not checked whole: ", degraded.empty() ? "see below" : Escaped(degraded[0]), and_leaks);
}

std::string InProcesses(const std::vector<const Findings*>& in) {
  if (in.size() == 1) return absl::StrCat("in ", ProcessName(in[0]->process));
  return absl::StrCat("in ", Processes(in.size()), " of ", ProgramNames(in));
}

std::string InHowMany(const std::vector<const Findings*>& in) {
  return in.size() == 1 ? "" : absl::StrCat(", in ", Processes(in.size()));
}

std::string ProcessesText(const std::vector<const Findings*>& images) { return Processes(CountPids(images)); }

std::string UnlistedLeaks(const ProcessSummary& summary) {
  if (summary.unlisted_leaks == 0) return "";
  return absl::StrCat(Count(summary.unlisted_leaks, "smaller leak"), " of ", Count(summary.unlisted.bytes, "byte"),
                      " in ", Count(summary.unlisted.blocks, "block"));
}

void AppendReceipt(const ProcessSummary& summary, const Palette& palette, std::string* text) {
  const std::vector<const Findings*>& told = summary.subjects.empty() ? summary.clean : summary.subjects;
  if (told.empty()) return;
  if (told.size() == 1) {
    AppendReceipt(*told[0], palette, text);
    return;
  }
  uint64_t allocations = 0, bytes = 0, frees = 0, dropped = 0;
  for (const Findings* process : told) {
    allocations += process->totals.allocations;
    bytes += process->totals.allocated_bytes;
    frees += process->totals.frees;
    dropped += process->totals.errors_dropped;
  }
  absl::StrAppend(text, palette.faint, "Receipt of ", Processes(CountPids(told)), ":\n  ",
                  Count(allocations, "allocation"), " of ", Count(bytes, "byte"), "\n  ", Count(frees, "free"), "\n");
  if (dropped != 0) absl::StrAppend(text, "  ", Count(dropped, "heap error"), " dropped: only their number is known\n");
  AppendShortcomings(told, text);
  absl::StrAppend(text, palette.reset);
}

std::vector<std::string> OtherProcesses(const ProcessSummary& summary, const std::vector<const Findings*>& shown) {
  std::vector<std::string> lines;
  if (!summary.replaced.empty()) lines.push_back(ReplacedText(summary.replaced));
  uint64_t clean = 0, allocations = 0;
  for (const Findings* process : summary.clean) {
    if (std::find(shown.begin(), shown.end(), process) != shown.end()) continue;
    ++clean;
    allocations += process->totals.allocations;
  }
  if (clean != 0) {
    lines.push_back(absl::StrCat(Count(clean, "other process is", "other processes are"), " clean (",
                                 Count(allocations, "allocation"), ")"));
  }
  if (std::string line = NotJudgedText(summary.not_judged); !line.empty()) lines.push_back(std::move(line));
  return lines;
}

}  // namespace mallocspy

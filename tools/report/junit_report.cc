#include "tools/report/junit_report.h"

#include <unistd.h>

#include <climits>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tools/report/acceptance_text.h"
#include "tools/report/error_text.h"
#include "tools/report/leak_text.h"
#include "tools/report/receipt.h"
#include "tools/report/severity.h"
#include "tools/report/summary_text.h"
#include "tools/report/text_report.h"
#include "tools/report/text_stack.h"
#include "tools/verdict/process_summary.h"
#include "tools/wording/count.h"
#include "tools/wording/escape.h"
#include "tools/wording/markup.h"

namespace mallocspy {
namespace {

// The program's name without its folder.
std::string ProgramName(const Process& process) {
  const std::string& path = process.cmdline.empty() ? process.exe : process.cmdline[0];
  const std::string name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  return name.empty() ? "program" : name;
}

// The test cases of one program, and how many there are of each outcome.
class Suite {
 public:
  // Of the processes of one program, at least one.
  explicit Suite(const std::vector<const Findings*>& processes)
      : findings_(*processes[0]), class_name_(ProgramName(findings_.process)), summary_(Summarize(processes)) {
    uint64_t dropped = 0;
    std::vector<const Findings*> incomplete;
    for (const Findings* process : processes) {
      dropped += process->totals.errors_dropped;
      if (process->verdict.status == Status::kIncomplete || process->verdict.unchecked) incomplete.push_back(process);
    }
    if (!incomplete.empty()) AddIncomplete(Summarize(incomplete));
    for (const MergedError& error : summary_.errors) AddError(error);
    if (dropped != 0) {
      AddFailure("more heap errors", "dropped",
                 absl::StrCat(Count(dropped, "heap error"), " of which only the number is known"), "");
    }
    for (const MergedLeak& leak : summary_.leaks) AddLeak(leak);
    for (const MergedLeak& leak : summary_.accepted) AddLeak(leak);
    if (const std::string unlisted = UnlistedLeaks(summary_); !unlisted.empty()) {
      AddFailure("more leaks", "unlisted", absl::StrCat(unlisted, "; --top=N lists more"), "");
    }
    if (tests_ == 0) AddPassed("heap check");
  }

  std::string Xml(size_t id, const JunitStamp& stamp) const {
    return absl::StrCat("  <testsuite id=\"", id, "\" package=\"mallocspy\" name=\"", MarkupAttribute(class_name_),
                        "\" timestamp=\"", MarkupAttribute(stamp.time), "\" hostname=\"", MarkupAttribute(stamp.host),
                        "\" tests=\"", tests_, "\" failures=\"", failures_, "\" errors=\"", errors_, "\" time=\"0\">\n",
                        Properties(), cases_, "    <system-out>", MarkupText(SystemOut()),
                        "</system-out>\n    <system-err></system-err>\n  </testsuite>\n");
  }

 private:
  void Open(absl::string_view name) {
    ++tests_;
    const uint64_t same = ++names_[name];
    absl::StrAppend(&cases_, "    <testcase classname=\"mallocspy.", MarkupAttribute(class_name_), "\" name=\"",
                    MarkupAttribute(name));
    if (same > 1) absl::StrAppend(&cases_, " (", same, ")");
    absl::StrAppend(&cases_, "\" time=\"0\"");
  }

  void AddPassed(absl::string_view name) {
    Open(name);
    absl::StrAppend(&cases_, "/>\n");
  }

  void AddBad(absl::string_view element, absl::string_view name, absl::string_view type, absl::string_view message,
              absl::string_view text) {
    Open(name);
    absl::StrAppend(&cases_, ">\n      <", element, " type=\"", MarkupAttribute(type), "\" message=\"",
                    MarkupAttribute(message), "\">", MarkupText(text), "</", element, ">\n    </testcase>\n");
  }

  void AddFailure(absl::string_view name, absl::string_view type, absl::string_view message, absl::string_view text) {
    ++failures_;
    AddBad("failure", name, type, message, text);
  }

  void AddIncomplete(const ProcessSummary& incomplete) {
    ++errors_;
    std::string text;
    absl::flat_hash_set<std::string> known;
    for (const Findings* process : incomplete.subjects) {
      for (const std::string& sentence : process->process.degraded) {
        if (known.insert(sentence).second) absl::StrAppend(&text, Escaped(sentence), "\n");
      }
    }
    AddBad("error", "heap check", "incomplete", Answer(incomplete), text);
  }

  void AddError(const MergedError& merged) {
    const HeapError& error = merged.error;
    std::string text;
    AppendError(error, merged.in[0]->process.pid, kPlain, &text);
    const std::vector<NamedStack> stacks = ErrorStacks(error);
    AddFailure(stacks.empty() ? error.kind : absl::StrCat(error.kind, " in ", Function(*stacks[0].frames)), error.kind,
               absl::StrCat(ErrorHeadline(error), InHowMany(merged.in)), text);
  }

  void AddLeak(const MergedLeak& merged) {
    const Leak& leak = merged.leak;
    const std::string headline = absl::StrCat(LeakHeadline(leak), InHowMany(merged.in));
    const std::string name = absl::StrCat("leak ", leak.id, " in ", Function(leak.frames));
    std::string text = absl::StrCat(headline, "\n");
    AppendStack(leak.frames, &text);
    if (!leak.accepted() && SeverityOf(leak.leak_class) != Severity::kNote) {
      AddFailure(name, absl::StrCat("leak-", NameOf(leak.leak_class)), headline, text);
      return;
    }
    AddPassed(name);
    const std::string why = WhyAccepted(leak);
    absl::StrAppend(&passed_, "\n", why, why.empty() ? "" : "\n", text);
  }

  // The innermost function that has a name.
  static std::string Function(const std::vector<Frame>& frames) {
    for (const Frame& frame : frames) {
      if (!frame.function.empty()) return frame.function;
    }
    return frames.empty() || frames[0].module.empty() ? "unknown code" : frames[0].module;
  }

  std::string Properties() const {
    const auto property = [](absl::string_view name, absl::string_view value) {
      return absl::StrCat("      <property name=\"", name, "\" value=\"", MarkupAttribute(value), "\"/>\n");
    };
    const Process& process = findings_.process;
    std::string properties = absl::StrCat("    <properties>\n", property("verdict", NameOf(summary_.status)),
                                          property("pid", absl::StrCat(process.pid)), property("exe", process.exe));
    if (summary_.processes > 1) absl::StrAppend(&properties, property("processes", absl::StrCat(summary_.processes)));
    for (const std::string& argument : process.cmdline) absl::StrAppend(&properties, property("argument", argument));
    return absl::StrCat(properties, "    </properties>\n");
  }

  std::string SystemOut() const {
    std::string text = absl::StrCat("mallocspy: ", Answer(summary_), "\n");
    AppendReceipt(summary_, kPlain, &text);
    for (const std::string& sentence : AcceptanceSentences(findings_)) absl::StrAppend(&text, "  ", sentence, "\n");
    return text + passed_;
  }

  const Findings& findings_;  // of the first process
  const std::string class_name_;
  const ProcessSummary summary_;
  std::string cases_;
  std::string passed_;  // leaks that are no failures
  absl::flat_hash_map<std::string, uint64_t> names_;  // how often each was given
  uint64_t tests_ = 0;
  uint64_t failures_ = 0;
  uint64_t errors_ = 0;
};

// The processes that count, by the name of their program. What an image held that exec replaced is no leak.
std::vector<std::vector<const Findings*>> ByProgram(const std::vector<Findings>& reports) {
  std::vector<std::vector<const Findings*>> programs;
  absl::flat_hash_map<std::string, size_t> known;
  for (const Findings* process : EveryProcess(reports)) {
    const bool replaced = process->process.exit.kind == ProcessExit::Kind::kExec;
    const Status status = process->verdict.status;
    if (!process->verdict.judged && !process->verdict.unseen) continue;
    // Helpers that were killed have no list of blocks.
    const bool first = process == &reports[0] || reports.size() > 1;
    if (!first && status == Status::kIncomplete && !process->verdict.unchecked) continue;
    if (replaced && (status == Status::kLeaks || status == Status::kClean)) continue;
    const auto [at, added] = known.try_emplace(ProgramName(process->process), programs.size());
    if (added) programs.emplace_back();
    programs[at->second].push_back(process);
  }
  return programs;
}

}  // namespace

JunitStamp JunitStamp::Now() {
  char host[HOST_NAME_MAX + 1] = "";
  const bool known = gethostname(host, sizeof(host)) == 0 && host[0] != '\0';
  host[sizeof(host) - 1] = '\0';
  return {absl::FormatTime("%Y-%m-%dT%H:%M:%S", absl::Now(), absl::UTCTimeZone()), known ? host : "localhost"};
}

std::string JunitReport(const std::vector<Findings>& reports, const JunitStamp& stamp) {
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  size_t id = 0;
  for (const std::vector<const Findings*>& processes : ByProgram(reports)) {
    absl::StrAppend(&xml, Suite(processes).Xml(id++, stamp));
  }
  return absl::StrCat(xml, "</testsuites>\n");
}

}  // namespace mallocspy

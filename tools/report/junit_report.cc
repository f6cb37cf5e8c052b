#include "tools/report/junit_report.h"

#include <unistd.h>

#include <climits>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tools/report/error_text.h"
#include "tools/report/leak_text.h"
#include "tools/report/receipt.h"
#include "tools/report/severity.h"
#include "tools/report/text_report.h"
#include "tools/report/text_stack.h"
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

// The test cases of one process, and how many there are of each outcome.
class Suite {
 public:
  explicit Suite(const Findings& findings) : findings_(findings), class_name_(ProgramName(findings.process)) {
    if (findings.verdict.status == Status::kIncomplete || findings.verdict.unchecked) AddIncomplete();
    for (const HeapError& error : findings.errors) AddError(error);
    if (findings.totals.errors_dropped != 0) {
      AddFailure(
          "more heap errors", "dropped",
          absl::StrCat(Count(findings.totals.errors_dropped, "heap error"), " of which only the number is known"), "");
    }
    for (const Leak& leak : findings.leaks) AddLeak(leak);
    if (const std::string unlisted = UnlistedLeaks(findings); !unlisted.empty()) {
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

  void AddIncomplete() {
    ++errors_;
    std::string text;
    for (const std::string& sentence : findings_.process.degraded) absl::StrAppend(&text, Escaped(sentence), "\n");
    AddBad("error", "heap check", "incomplete", Answer(findings_), text);
  }

  void AddError(const HeapError& error) {
    std::string text;
    AppendError(error, findings_.process.pid, kPlain, &text);
    const std::vector<NamedStack> stacks = ErrorStacks(error);
    AddFailure(stacks.empty() ? error.kind : absl::StrCat(error.kind, " in ", Function(*stacks[0].frames)), error.kind,
               ErrorHeadline(error), text);
  }

  void AddLeak(const Leak& leak) {
    const std::string name = absl::StrCat("leak ", leak.id, " in ", Function(leak.frames));
    std::string text = absl::StrCat(LeakHeadline(leak), "\n");
    AppendStack(leak.frames, &text);
    if (SeverityOf(leak.leak_class) != Severity::kNote) {
      AddFailure(name, absl::StrCat("leak-", NameOf(leak.leak_class)), LeakHeadline(leak), text);
      return;
    }
    AddPassed(name);
    absl::StrAppend(&reachable_, "\n", text);
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
    std::string properties = absl::StrCat("    <properties>\n", property("verdict", NameOf(findings_.verdict.status)),
                                          property("pid", absl::StrCat(process.pid)), property("exe", process.exe));
    for (const std::string& argument : process.cmdline) absl::StrAppend(&properties, property("argument", argument));
    return absl::StrCat(properties, "    </properties>\n");
  }

  std::string SystemOut() const {
    std::string text = absl::StrCat("mallocspy: ", Answer(findings_), "\n");
    AppendReceipt(findings_, kPlain, &text);
    return text + reachable_;
  }

  const Findings& findings_;
  const std::string class_name_;
  std::string cases_;
  std::string reachable_;
  absl::flat_hash_map<std::string, uint64_t> names_;  // how often each was given
  uint64_t tests_ = 0;
  uint64_t failures_ = 0;
  uint64_t errors_ = 0;
};

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
  for (const Findings* process : EveryProcess(reports)) absl::StrAppend(&xml, Suite(*process).Xml(id++, stamp));
  return absl::StrCat(xml, "</testsuites>\n");
}

}  // namespace mallocspy

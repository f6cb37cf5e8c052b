#include "tools/command/self_test.h"

#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tools/command/planted_program.h"
#include "tools/report/report_sink.h"
#include "tools/run/captured_run.h"
#include "tools/run/shipped_library.h"
#include "tools/verdict/fail_on.h"
#include "tools/wording/count.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

using Json = nlohmann::json;

constexpr int kLimitSeconds = 120;  // a loaded machine needs a second

// Each line is printed as soon as it is known: what comes next may be what this machine does not survive.
class Checklist {
 public:
  void Good(absl::string_view what, absl::string_view found) { Line("ok  ", what, found); }
  void Note(absl::string_view what, absl::string_view found) { Line("note", what, found); }
  void Bad(absl::string_view what, absl::string_view found, absl::string_view remedy) {
    Line("FAIL", what, found);
    if (!remedy.empty()) Print(absl::StrCat("                    ", remedy, "\n"));
    if (failure_.empty()) failure_ = absl::StrCat(what, ": ", found);
  }

  int Finish() {
    if (failure_.empty()) {
      Print("mallocspy: self-test passed: a leak is found on this machine\n");
      return kExitClean;
    }
    Print(absl::StrCat("mallocspy: self-test failed: ", failure_, "\n"));
    return kExitIncomplete;
  }

 private:
  static void Line(absl::string_view state, absl::string_view what, absl::string_view found) {
    Print(
        absl::StrCat("  ", state, "  ", what, std::string(what.size() < 12 ? 12 - what.size() : 1, ' '), found, "\n"));
  }
  static void Print(absl::string_view text) { WriteAll(STDOUT_FILENO, text).IgnoreError(); }

  std::string failure_;  // the first one
};

// The file of this command; without /proc as it was called.
std::string OwnPath() {
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
  if (length > 0) return {path, static_cast<size_t>(length)};
  const auto* const called = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  return called != nullptr ? called : "mallocspy";
}

std::string FirstLine(const std::string& text) {
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  absl::string_view line = lines[0];
  absl::ConsumePrefix(&line, "mallocspy: ");
  return line.empty() ? "it said nothing" : Escaped(line);
}

// The end of a question.
std::string OptionsHint() {
  const char* const options = std::getenv("MALLOCSPY_OPTIONS");
  return options == nullptr ? "?" : absl::StrCat(", by MALLOCSPY_OPTIONS=", Escaped(options), "?");
}

std::string StatusText(int wait_status) {
  return WIFSIGNALED(wait_status) ? absl::StrCat("died of ", SignalName(WTERMSIG(wait_status)))
                                  : absl::StrCat("ended with status ", WEXITSTATUS(wait_status));
}

// The leak of a block or several of these bytes in total; null if there is none.
const Json* FindLeak(const Json& report, uint64_t bytes) {
  for (const Json& leak : report["leaks"]) {
    if (leak["bytes"] == bytes) return &leak;
  }
  return nullptr;
}

std::string ClassOf(const Json* leak) { return leak != nullptr ? (*leak)["class"].get<std::string>() : "missing"; }

// Why what leads to blocks is not known. The filters and limits of the library in the program are those of this
// process, so that the same calls can be tried here.
void ExplainReachability(Checklist* list) {
  if (access("/proc/self/maps", R_OK) != 0) {
    list->Bad("memory map", absl::StrCat("/proc/self/maps cannot be read (", std::strerror(errno), ")"),
              "mount /proc in this container or chroot");
    return;
  }
  if (syscall(SYS_tgkill, getpid(), gettid(), 0) != 0) {
    list->Bad("stop", absl::StrCat("threads cannot be signalled (tgkill: ", std::strerror(errno), ")"),
              "a seccomp filter forbids it: allow the system call tgkill");
    return;
  }
  list->Good("stop", "threads can be signalled");
  const long copy = syscall(SYS_clone, 0, 0, 0, 0, 0);
  if (copy == 0) _exit(0);
  if (copy < 0) {
    list->Bad("copy", absl::StrCat("the process cannot be copied (clone: ", std::strerror(errno), ")"),
              "a seccomp filter or a limit forbids it: allow the system call clone, or raise ulimit -u and -v");
    return;
  }
  waitpid(static_cast<pid_t>(copy), nullptr, __WALL);
  list->Bad("copy", "the process can be copied, but its memory was not searched whole",
            "is there too little memory (ulimit -v, the container's limit)?");
}

void CheckReachability(const Json& report, Checklist* list) {
  const std::string reachability = report["verdict"]["reachability"];
  if (reachability == "unknown") {
    ExplainReachability(list);
    return;
  }
  if (reachability == "complete") {
    list->Good("stop", "every thread stopped when asked to");
  } else {
    list->Note("stop", "not every thread stopped when asked to: its whole stack was searched");
  }
  list->Good("copy", "the memory of the process was copied and searched");
  const std::string lost = ClassOf(FindLeak(report, kLostBlocks * kLostBytes));
  const std::string global = ClassOf(FindLeak(report, kGlobalBytes));
  const std::string thread = ClassOf(FindLeak(report, kThreadBytes));
  if (lost == "definite") {
    list->Good("leak", absl::StrCat("the ", kLostBlocks, " blocks that were lost are a definite leak"));
  } else {
    list->Bad("leak", absl::StrCat("the ", kLostBlocks, " blocks that were lost are ", lost, ", not definite"),
              "please report this, with the output of: mallocspy run --format=json -- PROGRAM");
  }
  if (global == "reachable" && thread == "reachable") {
    list->Good("held", "what a global and another thread hold is reachable, and no leak");
  } else {
    list->Bad("held", absl::StrCat("the block of a global is ", global, ", that of another thread ", thread),
              "both should be reachable; please report this");
  }
}

void CheckStack(const Json& report, Checklist* list) {
  const Json* const leak = FindLeak(report, kLostBlocks * kLostBytes);
  if (leak == nullptr) {
    list->Bad("leak", "the blocks that were lost are not in the report",
              absl::StrCat("were they kept out", OptionsHint()));
    return;
  }
  for (const Json& frame : (*leak)["frames"]) {
    if (frame["function"].is_null() || !absl::StrContains(frame["function"].get<std::string>(), kPlantedFunction))
      continue;
    if (frame["line"].is_number()) {
      list->Good("stack", absl::StrCat("has the function, the file and the line that lost them"));
    } else {
      list->Good("stack", "has the function that lost them");
      list->Note("lines", "this mallocspy has no debug information: programs compiled with -g show file and line");
    }
    return;
  }
  list->Bad("stack",
            absl::StrCat("does not name the function that lost them, in ", (*leak)["frames"].size(), " frames"),
            "is libunwind8 installed, and was this mallocspy stripped of its dynamic symbols?");
}

void CheckChild(const Json& report, Checklist* list) {
  for (const Json& child : report["children"]) {
    if (FindLeak(child, kChildBytes) == nullptr) continue;
    list->Good("children", "a forked process has a report of its own");
    return;
  }
  const Json& exit = report["process"]["exit"];
  if (exit.contains("code") && exit["code"] == kNoChild) {
    list->Bad("children", "the program could not fork", "a seccomp filter or a limit forbids it (ulimit -u)");
    return;
  }
  list->Bad("children", "the forked process left no report", absl::StrCat("was it not to be followed", OptionsHint()));
}

void CheckReport(const CapturedRun& run, const Json& report, Checklist* list) {
  const Json& process = report["process"];
  if (!process["interposed"].get<bool>() || report["totals"]["allocations"] == 0) {
    const Json& degraded = process["degraded"];
    list->Bad("preload", "nothing of the program was recorded",
              degraded.empty() ? absl::StrCat("is LD_PRELOAD forbidden here", OptionsHint())
                               : Escaped(degraded[0].get<std::string>()));
    return;
  }
  list->Good("preload", absl::StrCat("the library was loaded and recorded ",
                                     Count(report["totals"]["allocations"].get<uint64_t>(), "allocation")));
  CheckStack(report, list);
  CheckReachability(report, list);
  CheckChild(report, list);
  for (const Json& sentence : process["degraded"]) {
    list->Note("degraded", Escaped(sentence.get<std::string>()));
  }
  if (process["exit"].contains("code") && process["exit"]["code"] == kNoThread) {
    list->Note("threads", "the program could not start a thread");
  }
  const bool right = WIFEXITED(run.wait_status) && WEXITSTATUS(run.wait_status) == kExitLeaks;
  const std::string verdict = report["verdict"]["status"];
  if (right && verdict == "leaks") {
    list->Good("verdict", absl::StrCat("leaks, and exit status ", kExitLeaks));
  } else {
    list->Bad("verdict",
              absl::StrCat(verdict, ", and the run ", StatusText(run.wait_status), " instead of ", kExitLeaks), "");
  }
}

}  // namespace

int SelfTest() {
  Checklist list;
  const absl::StatusOr<std::string> library = FindLibrary();
  if (!library.ok()) {
    list.Bad("library", Escaped(std::string(library.status().message())), "");
    return list.Finish();
  }
  list.Good("library", Escaped(*library));
  const std::string own = OwnPath();
  const absl::StatusOr<CapturedRun> run = RunCaptured(
      {own, "run", "--judge=all", "--format=json", "--output=-", "--", own, kPlantedCommand}, kLimitSeconds);
  if (!run.ok()) {
    list.Bad("start", Escaped(std::string(run.status().message())),
             "does a seccomp filter or a limit forbid new processes (ulimit -u)?");
    return list.Finish();
  }
  const Json report = Json::parse(run->output, nullptr, false);
  if (!report.is_object()) {
    list.Bad(
        "start",
        absl::StrCat("'mallocspy run' ", StatusText(run->wait_status), " without a report: ", FirstLine(run->error)),
        "does a seccomp filter or a limit forbid new processes (ulimit -u)?");
    return list.Finish();
  }
  list.Good("start", "a program was run, and its report written");
  CheckReport(*run, report, &list);
  return list.Finish();
}

}  // namespace mallocspy

#include "tools/command/help.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/command/commands.h"
#include "tools/command/library_options.h"
#include "tools/command/oom_settings.h"
#include "tools/command/serve_command.h"
#include "tools/command/settings.h"
#include "tools/report/report_sink.h"
#include "tools/verdict/fail_on.h"

namespace mallocspy {
namespace {

constexpr char kRun[] =
    "usage: mallocspy run [OPTION...] -- PROGRAM ARG...\n"
    "\n"
    "Runs PROGRAM with libmallocspy.so in it and reports at its end. Input, output, signals and exit\n"
    "status are the program's own.\n";

constexpr char kReport[] =
    "usage: mallocspy report [OPTION...] FILE...\n"
    "\n"
    "Reports on snapshots, also on those of killed or still running processes. As JSON the second and\n"
    "later files are children of the first.\n";

constexpr char kDiff[] =
    "usage: mallocspy diff [OPTION...] OLD NEW\n"
    "\n"
    "Compares two snapshots or JSON reports, leak by leak; those that are suppressed count for nothing. Of two\n"
    "dumps of one process it also tells, block by block, what was made in between and still lives, and what is gone.\n"
    "\n"
    "options:\n"
    "  --format=text|json|html\n"
    "        form of the result (default text); html is a page for a browser\n"
    "  --output=FILE\n"
    "        where it goes (default, and -: standard output)\n"
    "  --fail-on=LIST\n"
    "        what may not be new or grow: none, any, definite, possible, reachable (default definite)\n"
    "  --help\n"
    "        this text\n"
    "\n"
    "exit status:\n"
    "  23  a leak that --fail-on names is new or has grown\n"
    "  25  the result could not be written\n"
    "   2  the command line is wrong, or a file cannot be read\n"
    "   0  none of these\n";

constexpr char kOom[] =
    "usage: mallocspy oom [OPTION...] -- PROGRAM ARG...\n"
    "\n"
    "Finds out how PROGRAM takes it when memory runs out. A first run lists the call stacks from which it\n"
    "allocates; then it is run again for each of them, and the first allocation from there fails. Each run\n"
    "reads the standard input from its beginning; what it writes is dropped. What it does to files it does\n"
    "each time, and several at once: give it none, or --jobs=1 and files that may be written again. The\n"
    "variable OOM_RUN counts the runs from 1; in the first it is 0.\n"
    "\n"
    "outcomes:\n"
    "  handled   it ended by itself\n"
    "  crashed   a signal killed it\n"
    "  hung      it had not ended when its time was over\n"
    "  leaked    it lost more blocks than the first run; or it ended as that did, with more live ones\n"
    "  misused   it erred about the heap: a double free, an overflow, ...\n";

constexpr char kOomExitStatus[] =
    "\n"
    "exit status:\n"
    "  24  a run crashed, hung or misused the heap\n"
    "  23  a run leaked, and none did worse\n"
    "  25  not all was tried or told\n"
    "   2  the command line is wrong, or a state file cannot be read\n"
    "   0  every failure was handled; with --repeat as 'run'\n";

constexpr char kServe[] =
    "usage: mallocspy serve [OPTION...] FILE|PID|NAME\n"
    "\n"
    "Shows a heap in a browser, and goes on showing it while it changes: prints the address of the page and\n"
    "answers until it is interrupted. Only who knows the token in the address gets an answer.\n";

constexpr char kServeExitStatus[] =
    "\n"
    "exit status:\n"
    "  27  there is no such process, it is somebody else's, or it is not recorded\n"
    "  25  the address cannot be listened on\n"
    "   2  the command line is wrong, or the file cannot be read\n"
    "   0  it was ended by SIGINT or SIGTERM\n";

constexpr char kExitStatus[] =
    "\n"
    "exit status: the program's own if it is not 0 ('run' dies of the signal that killed it); else\n"
    "  24  heap errors, also when there are leaks\n"
    "  23  leaks, if --fail-on names them\n"
    "  25  the check did not run, is incomplete, or its report could not be written\n"
    "  26  a suppression is stale (--strict-suppressions)\n"
    "   2  the command line is wrong, or a snapshot, suppression file or baseline cannot be read\n"
    "   0  none of these; with --fail-on=none always the program's own\n";

constexpr char kOptionsHeading[] = "\nMALLOCSPY_OPTIONS=\"key=value:key=value\" (environment) sets up the library:\n";

int Print(absl::string_view text) { return WriteAll(STDOUT_FILENO, text).ok() ? kExitClean : 1; }

// "  mallocspy run [OPTION...] -- PROGRAM ARG...   run a program and report on its heap"
std::string UsageLines() {
  std::string lines;
  for (const CommandRow& row : Commands()) {
    absl::StrAppend(&lines, absl::StrFormat("  %-45s %s\n", absl::StrCat("mallocspy ", row.name, " ", row.arguments), row.summary));
  }
  return lines;
}

std::string GeneralHelp() {
  return absl::StrCat("mallocspy: finds leaks and heap errors in programs as they are, and shows what a heap holds\n\nusage:\n", UsageLines(),
                      "  mallocspy help COMMAND                        what each can do, exit statuses\n"
                      "  mallocspy help options                        how the library is set up\n"
                      "  mallocspy --version\n");
}

}  // namespace

std::string RunHelp() {
  return absl::StrCat(kRun, OptionsHelp(OptionsOf(Command::kRun)), kExitStatus, kOptionsHeading, LibraryOptionsHelp());
}
std::string ReportHelp() { return absl::StrCat(kReport, OptionsHelp(OptionsOf(Command::kReport)), kExitStatus); }
std::string DiffHelp() { return kDiff; }
std::string ServeHelp() { return absl::StrCat(kServe, OptionsHelp(ServeOptions()), kServeExitStatus); }
std::string OomHelp() { return absl::StrCat(kOom, OptionsHelp(OomOptions()), kOomExitStatus); }

std::string HelpText(absl::string_view topic) {
  if (topic.empty()) return GeneralHelp();
  if (topic == "options") return absl::StrCat(absl::string_view(kOptionsHeading).substr(1), LibraryOptionsHelp());
  for (const CommandRow& row : Commands()) {
    if (topic == row.name) return row.help();
  }
  return "";
}

int PrintHelp(absl::string_view topic) { return Print(HelpText(topic)); }

int PrintVersion() { return Print("mallocspy " MALLOCSPY_VERSION "\n"); }

}  // namespace mallocspy

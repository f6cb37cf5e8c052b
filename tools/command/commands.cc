#include "tools/command/commands.h"

#include "tools/command/check_command.h"
#include "tools/command/diff_command.h"
#include "tools/command/dump_command.h"
#include "tools/command/explore_command.h"
#include "tools/command/export_command.h"
#include "tools/command/help.h"
#include "tools/command/mark_command.h"
#include "tools/command/oom_command.h"
#include "tools/command/ps_command.h"
#include "tools/command/report_command.h"
#include "tools/command/run_command.h"
#include "tools/command/top_command.h"
#include "tools/command/serve_command.h"

namespace mallocspy {

const std::vector<CommandRow>& Commands() {
  static const std::vector<CommandRow>* const kCommands = new std::vector<CommandRow>{
      {"run", "[OPTION...] -- PROGRAM ARG...", "run a program and report on its heap", RunCommand, RunHelp},
      {"report", "[OPTION...] FILE...", "report on kept snapshots (*.mspy)", ReportCommand, ReportHelp},
      {"diff", "[OPTION...] OLD NEW", "what is new, grown, shrunk and gone", DiffCommand, DiffHelp},
      {"top", "[OPTION...] PID|NAME", "what a running process holds, as it changes", TopCommand, TopHelp},
      {"ps", "", "the running processes that are recorded", PsCommand, PsHelp},
      {"dump", "[-o FILE] PID|NAME", "a snapshot of a running process", DumpCommand, DumpHelp},
      {"mark", "PID|NAME MARK", "begin a mark in a running process", MarkCommand, MarkHelp},
      {"check", "[OPTION...] PID|NAME", "look for leaks in a running process", CheckCommand, CheckHelp},
      {"explore", "[OPTION...] FILE [COMMAND...]", "what holds what in a snapshot: a shell, or one question", ExploreCommand, ExploreCommandHelp},
      {"export", "--to=FORMAT [OPTION...] FILE", "a snapshot for pprof, speedscope, DHAT, DevTools ...", ExportCommand, ExportHelp},
      {"serve", "[OPTION...] FILE|PID|NAME", "show a heap in a browser while it changes", ServeCommand, ServeHelp},
      {"oom", "[OPTION...] -- PROGRAM ARG...", "make allocations fail, one call stack after another", OomCommand, OomHelp},
  };
  return *kCommands;
}

}  // namespace mallocspy

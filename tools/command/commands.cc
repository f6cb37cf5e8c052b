#include "tools/command/commands.h"

#include "tools/command/diff_command.h"
#include "tools/command/help.h"
#include "tools/command/oom_command.h"
#include "tools/command/report_command.h"
#include "tools/command/run_command.h"

namespace mallocspy {

const std::vector<CommandRow>& Commands() {
  static const std::vector<CommandRow>* const kCommands = new std::vector<CommandRow>{
      {"run", "[OPTION...] -- PROGRAM ARG...", "run a program and report on its heap", RunCommand, RunHelp},
      {"report", "[OPTION...] FILE...", "report on kept snapshots (*.mspy)", ReportCommand, ReportHelp},
      {"diff", "[OPTION...] OLD NEW", "what is new, grown, shrunk and gone", DiffCommand, DiffHelp},
      {"oom", "[OPTION...] -- PROGRAM ARG...", "make allocations fail, one call stack after another", OomCommand, OomHelp},
  };
  return *kCommands;
}

}  // namespace mallocspy

// Runs the `mallocspy` command as its users do.
#pragma once

#include <sys/wait.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/scratch_directory.h"

namespace mallocspy {

struct CommandResult {
  int wait_status = 0;
  std::string output;
  std::string error;

  // The exit status, or minus the signal's number.
  int status() const { return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -WTERMSIG(wait_status); }
};

class CommandRunner {
 public:
  // Environment beyond PATH, HOME and what makes the command find the fake recorder ("NAME=value"). Later ones win.
  std::vector<std::string> environment;
  std::string input;

  // Where runs keep their ledgers: empty whenever no run is going on.
  std::string run_directory() const { return runs_.path(); }
  std::string File(const std::string& name) const { return scratch_.File(name); }
  const ScratchDirectory& scratch() const { return scratch_; }

  // `meanwhile`, if given, is called with the command's pid while it runs.
  CommandResult Run(const std::vector<std::string>& arguments, const std::function<void(pid_t)>& meanwhile = nullptr);
  CommandResult RunProgram(std::vector<std::string> command, const std::function<void(pid_t)>& meanwhile = nullptr);

  // Waits until the program under test made the file `name`.
  void WaitForFile(const std::string& name) const;

 private:
  static std::vector<char*> Pointers(std::vector<std::string>* texts) {
    std::vector<char*> pointers;
    for (std::string& text : *texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
  }

  ScratchDirectory scratch_;
  ScratchDirectory runs_;
};

}  // namespace mallocspy

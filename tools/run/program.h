// Runs the program under test so that it notices nothing of us: same terminal, process group, descriptors, signal
// dispositions and mask; and so that whoever watches us sees what he would see of it.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace mallocspy {

struct ProgramEnd {
  pid_t pid = 0;
  int wait_status = 0;  // as waitpid() gives it
};

// Holds back signals of this process from construction to Release(). One at a time, in a process with one thread.
class Program {
 public:
  Program();
  ~Program() { Release(); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Executes `path` and waits for its end. Signals sent to this process go on to the program; those that a terminal
  // sends to the whole group are not doubled. If the program stops, this process stops with it. The error, with errno's
  // code, says why it could not be executed.
  absl::StatusOr<ProgramEnd> Run(const std::string& path, const std::vector<std::string>& arguments,
                                 const std::vector<std::string>& environment);

  // Signals act on this process again. Those that came for the program and met it dead are dropped.
  void Release();

 private:
  [[noreturn]] void Execute(const std::string& path, const std::vector<std::string>& arguments,
                            const std::vector<std::string>& environment, int failure_pipe);
  void Forward(const siginfo_t& signal);
  void FollowStop();
  int WaitForEnd();

  sigset_t held_;  // signals that are held back, SIGCHLD among them
  sigset_t original_mask_;
  struct sigaction original_child_action_;
  pid_t pid_ = 0;
  bool released_ = false;
};

// Ends this process by `signal`, without a core file. Returns only if the signal does not kill.
void DieBySignal(int signal);

}  // namespace mallocspy

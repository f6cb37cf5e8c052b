#include "tools/run/program.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

// Not held back: what cannot be; what this process itself causes; what stops a whole job, us included.
constexpr int kOurOwn[] = {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS,  SIGILL,  SIGFPE,  SIGTRAP,
                           SIGSYS,  SIGABRT, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU, SIGPROF};

sigset_t HeldSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    const bool reserved = signal >= __SIGRTMIN && signal < SIGRTMIN;  // by the C library
    const bool our_own = std::find(std::begin(kOurOwn), std::end(kOurOwn), signal) != std::end(kOurOwn);
    if (!reserved && !our_own) sigaddset(&set, signal);
  }
  return set;
}

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

bool HasTerminal() {
  const int terminal = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (terminal >= 0) close(terminal);
  return terminal >= 0;
}

}  // namespace

Program::Program() : held_(HeldSignals()) {
  sigprocmask(SIG_BLOCK, &held_, &original_mask_);
  struct sigaction plain = {};
  plain.sa_handler = SIG_DFL;  // ignored, it would keep us from learning how the program ended
  sigaction(SIGCHLD, &plain, &original_child_action_);
}

absl::StatusOr<ProgramEnd> Program::Run(const std::string& path, const std::vector<std::string>& arguments,
                                        const std::vector<std::string>& environment) {
  int failure_pipe[2];
  if (pipe2(failure_pipe, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "cannot make a pipe");
  pid_ = fork();
  if (pid_ == 0) Execute(path, arguments, environment, failure_pipe[1]);
  const int fork_error = errno;
  close(failure_pipe[1]);
  if (pid_ < 0) {
    close(failure_pipe[0]);
    return absl::ErrnoToStatus(fork_error, "cannot start a process");
  }
  int exec_error = 0;
  ssize_t got;
  do {
    got = read(failure_pipe[0], &exec_error, sizeof(exec_error));
  } while (got < 0 && errno == EINTR);
  close(failure_pipe[0]);
  ProgramEnd end;
  end.pid = pid_;
  end.wait_status = WaitForEnd();
  if (got == sizeof(exec_error)) {
    return absl::ErrnoToStatus(exec_error, absl::StrCat("cannot run '", Escaped(path), "'"));
  }
  return end;
}

void Program::Execute(const std::string& path, const std::vector<std::string>& arguments,
                      const std::vector<std::string>& environment, int failure_pipe) {
  const std::vector<char*> argument_pointers = Pointers(arguments);
  const std::vector<char*> environment_pointers = Pointers(environment);
  sigaction(SIGCHLD, &original_child_action_, nullptr);
  sigprocmask(SIG_SETMASK, &original_mask_, nullptr);
  // Unlike execve, it hands a script without "#!" to the shell; the path has a slash, so nothing is searched.
  execvpe(path.c_str(), argument_pointers.data(), environment_pointers.data());
  const int error = errno;
  [[maybe_unused]] const ssize_t written = write(failure_pipe, &error, sizeof(error));
  _exit(127);
}

int Program::WaitForEnd() {
  for (;;) {
    siginfo_t change = {};
    waitid(P_PID, static_cast<id_t>(pid_), &change, WEXITED | WSTOPPED | WNOHANG | WNOWAIT);
    if (change.si_pid == pid_ && change.si_code != CLD_STOPPED) {
      int status = 0;
      waitpid(pid_, &status, 0);
      return status;
    }
    if (change.si_pid == pid_) {
      FollowStop();
      continue;
    }
    siginfo_t signal;
    if (sigwaitinfo(&held_, &signal) > 0 && signal.si_signo != SIGCHLD) Forward(signal);
  }
}

void Program::Forward(const siginfo_t& signal) {
  // The kernel's own (Ctrl-C, a closed terminal, a changed window) went to the whole process group.
  if (signal.si_code > 0 || signal.si_pid == pid_) return;
  if (signal.si_code == SI_QUEUE) {
    sigqueue(pid_, signal.si_signo, signal.si_value);
  } else {
    kill(pid_, signal.si_signo);
  }
}

void Program::FollowStop() {
  // After Ctrl-Z and fg both of us were stopped and woken, but perhaps we first: only a program that stays stopped has
  // stopped by itself.
  const timespec moment = {0, 20'000'000};
  nanosleep(&moment, nullptr);
  siginfo_t stop = {};
  waitid(P_PID, static_cast<id_t>(pid_), &stop, WSTOPPED | WNOHANG);
  // The shell watches us and takes its terminal back when we stop. Without a terminal nobody would wake us.
  if (stop.si_pid != pid_ || !HasTerminal()) return;
  raise(stop.si_status);
  kill(pid_, SIGCONT);
}

void Program::Release() {
  if (released_) return;
  released_ = true;
  const timespec now = {};
  siginfo_t dropped;
  while (pid_ > 0 && sigtimedwait(&held_, &dropped, &now) > 0) {
  }
  sigaction(SIGCHLD, &original_child_action_, nullptr);
  sigprocmask(SIG_SETMASK, &original_mask_, nullptr);
}

void DieBySignal(int signal) {
  const rlimit no_core = {};
  setrlimit(RLIMIT_CORE, &no_core);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // where core files go through a pipe, the limit does not count
  std::signal(signal, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
  kill(getpid(), signal);
}

}  // namespace mallocspy

#include "tools/run/parallel_runs.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kAfterAbort(2);

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

struct Running {
  SideRunEnd end;
  Clock::time_point started;
  Clock::time_point deadline;  // of what comes next: SIGABRT, then SIGKILL
};

// SIGCHLD waits to be asked for; the programs get the mask that was before.
class ChildSignal {
 public:
  ChildSignal() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGCHLD);
    struct sigaction plain = {};
    plain.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &plain, &action_before_);
    sigprocmask(SIG_BLOCK, &set_, &mask_before_);
  }
  ~ChildSignal() {
    Restore();
  }
  ChildSignal(const ChildSignal&) = delete;
  ChildSignal& operator=(const ChildSignal&) = delete;

  void Restore() const {
    sigaction(SIGCHLD, &action_before_, nullptr);
    sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
  }
  void WaitUntil(Clock::time_point time) const {
    const auto left = std::max(std::chrono::nanoseconds(1000000), std::chrono::nanoseconds(time - Clock::now()));
    const timespec limit = {left.count() / 1000000000, left.count() % 1000000000};
    sigtimedwait(&set_, nullptr, &limit);
  }

 private:
  sigset_t set_;
  sigset_t mask_before_;
  struct sigaction action_before_;
};

[[noreturn]] void Execute(const SideRun& run, int input, int null, int failure_pipe, pid_t parent, const ChildSignal& child_signal) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  rlimit core;
  getrlimit(RLIMIT_CORE, &core);
  core.rlim_cur = 0;
  setrlimit(RLIMIT_CORE, &core);
  dup2(input, STDIN_FILENO);
  dup2(null, STDOUT_FILENO);
  dup2(null, STDERR_FILENO);
  child_signal.Restore();
  std::signal(SIGPIPE, SIG_DFL);
  const std::vector<char*> arguments = Pointers(run.arguments);
  const std::vector<char*> environment = Pointers(run.environment);
  execvpe(run.path.c_str(), arguments.data(), environment.data());
  const int error = errno;
  [[maybe_unused]] const ssize_t written = write(failure_pipe, &error, sizeof(error));
  _exit(127);
}

absl::StatusOr<pid_t> Start(const SideRun& run, int input, const ChildSignal& child_signal) {
  const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  int failure_pipe[2];
  if (null < 0 || input < 0 || pipe2(failure_pipe, O_CLOEXEC) != 0) {
    const absl::Status failed = absl::ErrnoToStatus(errno, "cannot open what a program needs");
    if (null >= 0) close(null);
    return failed;
  }
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) Execute(run, input, null, failure_pipe[1], parent, child_signal);
  const int fork_error = errno;
  close(null);
  close(failure_pipe[1]);
  int exec_error = 0;
  ssize_t got = 0;
  if (pid > 0) {
    do {
      got = read(failure_pipe[0], &exec_error, sizeof(exec_error));
    } while (got < 0 && errno == EINTR);
  }
  close(failure_pipe[0]);
  if (pid < 0) return absl::ErrnoToStatus(fork_error, "cannot start a process");
  if (got != sizeof(exec_error)) return pid;
  waitpid(pid, nullptr, 0);
  return absl::ErrnoToStatus(exec_error, absl::StrCat("cannot run '", Escaped(run.path), "'"));
}

}  // namespace

absl::StatusOr<RepeatedInput> RepeatedInput::FromStandardInput(bool* nothing_came) {
  constexpr int kPatienceMs = 5000;
  *nothing_came = false;
  struct stat status;
  if (fstat(STDIN_FILENO, &status) != 0 || isatty(STDIN_FILENO) == 1) return RepeatedInput(-1, 0);
  if (S_ISREG(status.st_mode)) {
    const off_t start = lseek(STDIN_FILENO, 0, SEEK_CUR);
    return RepeatedInput(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3), std::max<off_t>(start, 0));
  }
  if (!S_ISFIFO(status.st_mode) && !S_ISSOCK(status.st_mode)) return RepeatedInput(-1, 0);
  pollfd input = {STDIN_FILENO, POLLIN, 0};
  *nothing_came = poll(&input, 1, kPatienceMs) == 0;
  if (*nothing_came) return RepeatedInput(-1, 0);
  RepeatedInput kept(memfd_create("input", MFD_CLOEXEC), 0);
  if (kept.descriptor_ < 0) return absl::ErrnoToStatus(errno, "cannot keep the standard input");
  char buffer[1 << 16];
  for (;;) {
    const ssize_t got = read(STDIN_FILENO, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::ErrnoToStatus(errno, "cannot read the standard input");
    if (got == 0) return kept;
    for (ssize_t done = 0; done < got;) {
      const ssize_t written = write(kept.descriptor_, buffer + done, static_cast<size_t>(got - done));
      if (written < 0) return absl::ErrnoToStatus(errno, "cannot keep the standard input");
      done += written;
    }
  }
}

RepeatedInput::~RepeatedInput() {
  if (descriptor_ >= 0) close(descriptor_);
}

RepeatedInput::RepeatedInput(RepeatedInput&& other) noexcept : descriptor_(other.descriptor_), start_(other.start_) {
  other.descriptor_ = -1;
}

int RepeatedInput::Open() const {
  if (descriptor_ < 0) return open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int own = open(absl::StrCat("/proc/self/fd/", descriptor_).c_str(), O_RDONLY | O_CLOEXEC);
  if (own >= 0) lseek(own, start_, SEEK_SET);
  return own;
}

absl::Status RunSideBySide(size_t count, size_t jobs, double limit_seconds, const RepeatedInput& input,
                           const std::function<absl::StatusOr<SideRun>(size_t)>& make,
                           const std::function<bool(const SideRunEnd&)>& ended) {
  const ChildSignal child_signal;
  std::vector<Running> running;
  absl::Status status;
  size_t next = 0;
  bool more = true;
  while (true) {
    while (more && next < count && running.size() < jobs) {
      const absl::StatusOr<SideRun> run = make(next);
      const int own_input = input.Open();
      const absl::StatusOr<pid_t> pid = run.ok() ? Start(*run, own_input, child_signal) : absl::StatusOr<pid_t>(run.status());
      if (own_input >= 0) close(own_input);
      if (!pid.ok()) {
        status = pid.status();
        more = false;
        break;
      }
      Running& started = running.emplace_back();
      started.end.index = next++;
      started.end.pid = *pid;
      started.started = Clock::now();
      started.deadline = started.started + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(limit_seconds));
    }
    if (running.empty()) return status;
    Clock::time_point wake = Clock::now() + std::chrono::seconds(10);
    for (const Running& run : running) wake = std::min(wake, run.deadline);
    child_signal.WaitUntil(wake);
    for (size_t i = 0; i < running.size();) {
      Running& run = running[i];
      if (waitpid(run.end.pid, &run.end.wait_status, WNOHANG) == run.end.pid) {
        kill(-run.end.pid, SIGKILL);  // what it left behind
        run.end.seconds = std::chrono::duration<double>(Clock::now() - run.started).count();
        const SideRunEnd end = run.end;
        running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
        more = ended(end) && more;
        continue;
      }
      if (Clock::now() >= run.deadline) {
        if (run.end.timed_out) {
          kill(-run.end.pid, SIGKILL);
        } else {
          kill(run.end.pid, SIGABRT);  // its record tells where it was
        }
        run.end.timed_out = true;
        run.deadline = Clock::now() + kAfterAbort;
      }
      ++i;
    }
  }
}

}  // namespace mallocspy

#include "spy/spies/faults/forked_trial.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "spy/malloc_spy.h"
#include "spy/spies/line.h"
#include "spy/spies/system.h"

namespace mallocspy::spies::faults {
namespace {

constexpr int kMostFiles = 1024;  // whose places are kept
constexpr uint64_t kAfterAbortMs = 2000;

bool HasThreads() {
  const int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return true;
  char text[1024];
  const ssize_t bytes = read(fd, text, sizeof(text) - 1);
  close(fd);
  if (bytes <= 0) return true;
  text[bytes] = '\0';
  // Behind the name, which may have anything in it: field 3 and on; the number of threads is field 20 (proc(5)).
  const char* at = strrchr(text, ')');
  for (int field = 2; at != nullptr && field < 20; ++field) at = strchr(at + 1, ' ');
  return at == nullptr || strncmp(at, " 1 ", 3) != 0;
}

// Where the files are read and written, which a child shares.
class FilePlaces {
 public:
  FilePlaces() {
    for (int fd = 0; fd < kMostFiles; ++fd) place_[fd] = lseek(fd, 0, SEEK_CUR);
  }
  void Restore() const {
    for (int fd = 0; fd < kMostFiles; ++fd) {
      if (place_[fd] >= 0 && lseek(fd, 0, SEEK_CUR) != place_[fd]) lseek(fd, place_[fd], SEEK_SET);
    }
  }

 private:
  off_t place_[kMostFiles];
};

// The child's death is nobody's to hear of; and a program that ignores its children's ends would keep this one's from us, too.
class NoChildSignal {
 public:
  NoChildSignal() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGCHLD);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGCHLD) == 1;
    sigprocmask(SIG_BLOCK, &set_, &before_);
    struct sigaction plain = {};
    plain.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &plain, &action_before_);
  }
  void Drain() const {
    const timespec now = {};
    if (!was_pending_) sigtimedwait(&set_, nullptr, &now);
  }
  void Restore() const {
    sigaction(SIGCHLD, &action_before_, nullptr);
    sigprocmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t set_;
  sigset_t before_;
  struct sigaction action_before_ = {};
  bool was_pending_;
};

uint64_t NowMs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1000000;
}

// Until it has ended. Whether its time was over.
bool WaitFor(pid_t child, uint64_t seconds, int* status) {
  bool timed_out = false;
  uint64_t deadline = NowMs() + seconds * 1000;
  for (long pause_us = 50;;) {
    const pid_t got = waitpid(child, status, WNOHANG);
    if (got == child) return timed_out;
    if (got < 0 && errno != EINTR) return timed_out;  // somebody else waited for it
    if (NowMs() >= deadline) {
      kill(child, timed_out ? SIGKILL : SIGABRT);
      timed_out = true;
      deadline = NowMs() + kAfterAbortMs;
    }
    const timespec pause = {0, pause_us * 1000};
    nanosleep(&pause, nullptr);
    if (pause_us < 2000) pause_us *= 2;
  }
}

void Tell(const char* file, uint64_t key, pid_t child, int status, bool timed_out) {
  Line line;
  line.Key(key).Char(' ').Number(static_cast<uint64_t>(child)).Char(' ').Number(static_cast<uint64_t>(status)).Char(' ');
  line.Number(timed_out ? 1 : 0).End();
  system::Append(file, line.data(), line.size());
}

}  // namespace

Side TryForked(const char* file, uint64_t key, uint64_t seconds) {
  const int error = errno;
  if (HasThreads()) {
    Tell(file, key, 0, 0, false);
    errno = error;
    return Side::kAlone;
  }
  const NoChildSignal no_signal;
  const FilePlaces places;
  const pid_t parent = getpid();
  const pid_t child = mallocspy_fork_on();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    no_signal.Restore();
    errno = error;
    return Side::kChild;
  }
  if (child > 0) {
    int status = 0;
    const bool timed_out = WaitFor(child, seconds, &status);
    no_signal.Drain();
    places.Restore();
    Tell(file, key, child, status, timed_out);
  }
  no_signal.Restore();
  errno = error;
  return child > 0 ? Side::kParent : Side::kAlone;
}

}  // namespace mallocspy::spies::faults

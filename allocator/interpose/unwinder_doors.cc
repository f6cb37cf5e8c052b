// What libunwind asks of libc, which must not change the program.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "allocator/capture/unwinder.h"
#include "allocator/interpose/export.h"
#include "allocator/system/raw_syscall.h"

namespace {

constexpr int kLowest = 512;

int MoveHigh(int descriptor) {
  const long high = mallocspy::RawSyscall(SYS_fcntl, descriptor, F_DUPFD_CLOEXEC, kLowest);
  if (mallocspy::RawFailed(high)) return descriptor;  // the limit is lower: it stays where it is
  mallocspy::RawSyscall(SYS_close, descriptor);
  return static_cast<int>(high);
}

}  // namespace

extern "C" {

// It blocks all signals around each use of its locks: ten system calls for one frame rule. They are blocked already when it runs
// (unwinder.cc), so there its sigprocmask() has nothing to do. For everybody else it is what libc's is.
MALLOCSPY_DOOR int sigprocmask(int how, const sigset_t* set, sigset_t* before) noexcept {
  if (mallocspy::IsInUnwinder()) return 0;
  const int error = pthread_sigmask(how, set, before);
  if (error != 0) errno = error;
  return error == 0 ? 0 : -1;
}

// It keeps a pipe with which it tests whether memory can be read. That must not take the low descriptors that the program's own first
// files are used to get, nor be mistaken for one of them after the program closed what it did not open: so it lies high.
MALLOCSPY_DOOR int pipe2(int ends[2], int flags) noexcept {
  const long result = mallocspy::RawSyscall(SYS_pipe2, ends, flags);
  if (mallocspy::RawFailed(result)) {
    errno = static_cast<int>(-result);
    return -1;
  }
  if (mallocspy::IsInUnwinder()) {
    ends[0] = MoveHigh(ends[0]);
    ends[1] = MoveHigh(ends[1]);
  }
  return 0;
}

}  // extern "C"

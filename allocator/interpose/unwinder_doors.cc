// libunwind keeps a pipe with which it tests whether memory can be read. It must not take the low descriptors that the
// program's own first files are used to get, nor be mistaken for one of them after the program closed what it did not
// open: so it lies high.
#include <fcntl.h>
#include <unistd.h>

#include "allocator/interpose/export.h"
#include "allocator/interpose/next.h"
#include "allocator/system/raw_syscall.h"
#include "allocator/thread_state.h"

namespace {

constexpr int kLowest = 512;

constinit mallocspy::Next<int (*)(int*, int)> next_pipe2("pipe2");

bool ForUnwinder() {
  const mallocspy::ThreadState* thread = mallocspy::ThisThread();
  return thread != nullptr && thread->capturing;
}

void MoveHigh(int* descriptor) {
  const long high = mallocspy::RawSyscall(SYS_fcntl, *descriptor, F_DUPFD_CLOEXEC, kLowest);
  if (mallocspy::RawFailed(high)) return;  // the limit is lower: it stays where it is
  mallocspy::RawSyscall(SYS_close, *descriptor);
  *descriptor = static_cast<int>(high);
}

}  // namespace

extern "C" MALLOCSPY_DOOR int pipe2(int ends[2], int flags) {
  const int result = next_pipe2.get()(ends, flags);
  if (result == 0 && ForUnwinder()) {
    MoveHigh(&ends[0]);
    MoveHigh(&ends[1]);
  }
  return result;
}

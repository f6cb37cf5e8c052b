#include "spy/futex_lock.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace mallocspy {

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t), "the kernel sees the word itself");

void FutexLock::LockSlowly() {
  const int saved_errno = errno;
  // From here on "awaited", also when this thread gets the lock: others may wait too, and a needless wake is harmless.
  while (word_.exchange(kHeldAndAwaited, std::memory_order_acquire) != kFree) {
    syscall(SYS_futex, &word_, FUTEX_WAIT_PRIVATE, kHeldAndAwaited, nullptr, nullptr, 0);
  }
  errno = saved_errno;
}

void FutexLock::WakeOne() {
  const int saved_errno = errno;
  syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  errno = saved_errno;
}

}  // namespace mallocspy

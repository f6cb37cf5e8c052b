// A lock that needs no constructor, no libc and no thread identity, and can be put back by a forked child.
#pragma once

#include <linux/futex.h>

#include <atomic>
#include <cstdint>

#include "allocator/system/raw_syscall.h"

namespace mallocspy {

// Not recursive. Any thread; a signal handler must not take a lock that the code it interrupted may hold.
class FutexLock {
 public:
  constexpr FutexLock() = default;

  void Lock() {
    uint32_t free = 0;
    if (word_.compare_exchange_strong(free, 1, std::memory_order_acquire)) return;
    while (word_.exchange(2, std::memory_order_acquire) != 0) RawSyscall(SYS_futex, &word_, FUTEX_WAIT_PRIVATE, 2, 0);
  }
  void Unlock() {
    if (word_.exchange(0, std::memory_order_release) == 2) RawSyscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, 1);
  }
  // Only where no other thread exists: the child of a fork, whose parent may have held it.
  void Reset() { word_.store(0, std::memory_order_relaxed); }

 private:
  std::atomic<uint32_t> word_{0};  // 0 free, 1 held, 2 held and waited for
};

class FutexLockHolder {
 public:
  explicit FutexLockHolder(FutexLock& lock) : lock_(lock) { lock_.Lock(); }
  ~FutexLockHolder() { lock_.Unlock(); }
  FutexLockHolder(const FutexLockHolder&) = delete;
  FutexLockHolder& operator=(const FutexLockHolder&) = delete;

 private:
  FutexLock& lock_;
};

}  // namespace mallocspy

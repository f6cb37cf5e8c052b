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
    if (!word_.compare_exchange_strong(free, 1, std::memory_order_acquire)) {
      while (word_.exchange(2, std::memory_order_acquire) != 0) RawSyscall(SYS_futex, &word_, FUTEX_WAIT_PRIVATE, 2, 0);
    }
    owner_.store(__builtin_thread_pointer(), std::memory_order_relaxed);
  }
  void Unlock() {
    owner_.store(nullptr, std::memory_order_relaxed);
    if (word_.exchange(0, std::memory_order_release) == 2) RawSyscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, 1);
  }
  // For a thread that left its stretch by a longjmp out of a signal handler: it can no longer hold what it held.
  void UnlockIfMine() {
    if (owner_.load(std::memory_order_relaxed) == __builtin_thread_pointer()) Unlock();
  }
  // Only where no other thread exists: the child of a fork, whose parent may have held it.
  void Reset() {
    owner_.store(nullptr, std::memory_order_relaxed);
    word_.store(0, std::memory_order_relaxed);
  }

 private:
  std::atomic<void*> owner_{nullptr};
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

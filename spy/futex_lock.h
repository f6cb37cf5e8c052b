// The lock of everything that runs inside the target process: the spies, the ledger, the pools. A futex, because it
// must work before libc is initialised, be constant-initialised, and be free again in the child of a fork whoever held
// it in the parent.
//
// Lock order: the spy lock comes before every lock of the allocator. Nothing that can wait for the dynamic loader's
// locks may run under any of them (the loader allocates while it holds them).
#pragma once

#include <atomic>
#include <cstdint>

namespace mallocspy {

// Not recursive; errno is kept. Any thread; a signal handler must not take a lock that the code it interrupted may
// hold.
class FutexLock {
 public:
  constexpr FutexLock() = default;
  FutexLock(const FutexLock&) = delete;
  FutexLock& operator=(const FutexLock&) = delete;

  void Lock() {
    uint32_t expected = kFree;
    if (!word_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire, std::memory_order_relaxed)) {
      LockSlowly();
    }
    owner_.store(__builtin_thread_pointer(), std::memory_order_relaxed);
  }
  void Unlock() {
    owner_.store(nullptr, std::memory_order_relaxed);
    if (word_.exchange(kFree, std::memory_order_release) == kHeldAndAwaited) WakeOne();
  }
  // For a thread that left its stretch by a longjmp out of a signal handler: it can no longer need what it holds.
  void UnlockIfMine() {
    if (owner_.load(std::memory_order_relaxed) == __builtin_thread_pointer()) Unlock();
  }
  // Makes it free, whatever it was. Only while no other thread exists or none will go on.
  void Reset() {
    owner_.store(nullptr, std::memory_order_relaxed);
    word_.store(kFree, std::memory_order_relaxed);
  }

 private:
  enum : uint32_t { kFree = 0, kHeld = 1, kHeldAndAwaited = 2 };

  void LockSlowly();
  void WakeOne();

  std::atomic<void*> owner_{nullptr};
  std::atomic<uint32_t> word_{kFree};
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

// The spy lock: one thread at a time is in the spies. A futex, because it must work before libc is initialised, be
// constant-initialised, and be free again in the child of a fork whoever held it in the parent.
//
// Lock order: the spy lock comes before every lock of the allocator. Nothing that can wait for the dynamic loader's
// locks may run under it (the loader allocates while it holds them).
#pragma once

#include <atomic>
#include <cstdint>

namespace mallocspy {

class SpyLock {
 public:
  constexpr SpyLock() = default;
  SpyLock(const SpyLock&) = delete;
  SpyLock& operator=(const SpyLock&) = delete;

  // Not recursive. errno is kept.
  void Lock();
  void Unlock();
  // Makes it free, whatever it was. Only while no other thread exists.
  void Reset() { word_.store(kFree, std::memory_order_relaxed); }

 private:
  enum : uint32_t { kFree = 0, kHeld = 1, kHeldAndAwaited = 2 };

  void LockSlowly();

  std::atomic<uint32_t> word_{kFree};
};

inline void SpyLock::Lock() {
  uint32_t expected = kFree;
  if (!word_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire, std::memory_order_relaxed)) {
    LockSlowly();
  }
}

}  // namespace mallocspy

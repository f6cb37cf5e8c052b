#include "allocator/reading_turn.h"

#include <time.h>

#include <atomic>
#include <cstdint>

#include "allocator/system/raw_syscall.h"

namespace mallocspy {
namespace {

constexpr uint32_t kLimitMs = 60000;

// Process and thread: what a forked child inherits is nobody's.
constinit std::atomic<uint64_t> reader{0};

uint64_t Self() {
  const auto pid = static_cast<uint64_t>(RawSyscall(SYS_getpid));
  return pid << 32 | static_cast<uint32_t>(RawSyscall(SYS_gettid));
}

}  // namespace

ReadingTurn::ReadingTurn() {
  const uint64_t self = Self();
  const uint64_t pid = self >> 32;
  uint64_t now = 0;
  for (uint32_t waited_ms = 0; !reader.compare_exchange_weak(now, self, std::memory_order_acquire);) {
    if (now == self) taken_over_ = true;
    if (now == 0 || taken_over_ || now >> 32 != pid || waited_ms >= kLimitMs) continue;  // with `now` as what is expected
    const timespec pause = {0, 1000000};
    RawSyscall(SYS_nanosleep, &pause, nullptr);
    ++waited_ms;
    now = 0;
  }
}

bool ReadingTurn::IsHere() { return reader.load(std::memory_order_relaxed) == Self(); }

ReadingTurn::~ReadingTurn() { reader.store(0, std::memory_order_release); }

}  // namespace mallocspy

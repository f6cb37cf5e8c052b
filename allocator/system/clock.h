// Time without libc.
#pragma once

#include <time.h>

#include <cstdint>

#include "allocator/system/raw_syscall.h"

namespace mallocspy {

// CLOCK_REALTIME in nanoseconds.
inline uint64_t RealtimeNs() {
  timespec now = {};
  RawSyscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
}

// CLOCK_MONOTONIC in microseconds.
inline uint64_t MonotonicUs() {
  timespec now = {};
  RawSyscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

}  // namespace mallocspy

// System calls without libc: they leave errno alone, meet no other library's wrappers, and work before libc does.
#pragma once

#include <sys/syscall.h>

#include <cstdint>

namespace mallocspy {

#if !defined(__x86_64__)
#error "mallocspy knows the system call convention of x86-64 only"
#endif

// The kernel's answer: a value, or a negated errno (-4095..-1).
inline long RawSyscall6(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

template <typename... Args>
inline long RawSyscall(long number, Args... args) {
  static_assert(sizeof...(args) <= 6);
  const long values[6] = {(long)args...};  // pointers and integers alike travel as words
  return RawSyscall6(number, values[0], values[1], values[2], values[3], values[4], values[5]);
}

inline bool RawFailed(long result) { return result < 0 && result >= -4095; }

}  // namespace mallocspy

// A call on another stack: what interrupts a program may have little room on the program's.
#pragma once

#include <cstdint>

namespace mallocspy {

// Calls `function(context)` with the stack pointer at `top`, one past a writable stretch of memory. Cannot be unwound through.
inline void CallOnStack(void* top, void (*function)(void* context), void* context) {
  const uintptr_t aligned = reinterpret_cast<uintptr_t>(top) & ~uintptr_t{15};
  asm volatile(
      "mov %%rsp, %%rbx\n\t"
      "mov %[top], %%rsp\n\t"
      "call *%[function]\n\t"
      "mov %%rbx, %%rsp"
      : "+D"(context)
      : [top] "r"(aligned), [function] "r"(function)
      : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "cc", "memory");
}

}  // namespace mallocspy

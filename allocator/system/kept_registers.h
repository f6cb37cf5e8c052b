// The registers that a call keeps (System V ABI for x86-64): what a caller had in them, its callee must not change.
#pragma once

#include <cstdint>

namespace mallocspy {

struct KeptRegisters {
  uintptr_t values[6];  // RBX, R12 to R15, and last RBP
  uintptr_t& frame_pointer() { return values[5]; }
};

// Defines `kept`: the registers as they are here, which in the first statement of a function is as they were at its call; but for RBP where
// the function keeps a frame pointer.
#define MALLOCSPY_KEPT_REGISTERS(kept)                                                                                   \
  mallocspy::KeptRegisters kept;                                                                                         \
  asm volatile(                                                                                                          \
      "mov %%rbx, 0(%0)\n\tmov %%r12, 8(%0)\n\tmov %%r13, 16(%0)\n\tmov %%r14, 24(%0)\n\tmov %%r15, 32(%0)\n\t"          \
      "mov %%rbp, 40(%0)"                                                                                                \
      :                                                                                                                  \
      : "r"(&kept)                                                                                                       \
      : "memory")

}  // namespace mallocspy

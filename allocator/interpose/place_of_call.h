// Where the program called a door, and what its registers held: what lies beyond is the recorder's own and holds nothing.
#pragma once

#include <cstdint>

#include "allocator/snapshot/roots.h"
#include "allocator/system/raw_syscall.h"
#include "spy/door_frame.h"

namespace mallocspy {

// The registers that a call keeps (System V ABI for x86-64), as they were at the call of a door.
struct KeptRegisters {
  uintptr_t values[5];
};

// Defines `kept`; in the first statement of a door.
#define MALLOCSPY_KEPT_REGISTERS(kept)                                                                                   \
  mallocspy::KeptRegisters kept;                                                                                         \
  asm volatile("mov %%rbx, 0(%0)\n\tmov %%r12, 8(%0)\n\tmov %%r13, 16(%0)\n\tmov %%r14, 24(%0)\n\tmov %%r15, 32(%0)" \
               :                                                                                                         \
               : "r"(&kept)                                                                                              \
               : "memory")

inline ProgramPoint PointOf(const DoorFrame* frame, const KeptRegisters& kept) {
  return {static_cast<uint32_t>(RawSyscall(SYS_gettid)), reinterpret_cast<uintptr_t>(frame + 1), reinterpret_cast<uintptr_t>(&kept),
          sizeof(kept)};
}

}  // namespace mallocspy

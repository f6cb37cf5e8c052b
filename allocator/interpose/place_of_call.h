// Where the program called a door, and what its registers held: what lies beyond is the recorder's own and holds nothing.
#pragma once

#include <cstdint>

#include "allocator/snapshot/roots.h"
#include "allocator/system/kept_registers.h"
#include "allocator/system/raw_syscall.h"
#include "spy/door_frame.h"

namespace mallocspy {

// `kept` is the door's, which put the program's RBP into its frame.
inline ProgramPoint PointOf(const DoorFrame* frame, KeptRegisters& kept) {
  kept.frame_pointer() = frame->caller_frame_pointer;
  return {static_cast<uint32_t>(RawSyscall(SYS_gettid)), reinterpret_cast<uintptr_t>(frame + 1), reinterpret_cast<uintptr_t>(&kept),
          sizeof(kept)};
}

}  // namespace mallocspy

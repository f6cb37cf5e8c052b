// What the call of a door left on the program's stack.
#pragma once

#include <cstdint>

namespace mallocspy {

// The frame record of a door function, as the x86-64 ABI lays it down when a frame pointer is kept: the door's own RBP points to it.
// From it follow the program's registers at its call: RIP, RSP (just above the record) and RBP.
struct DoorFrame {
  uintptr_t caller_frame_pointer;
  const void* return_address;
};

// In a door: its record. Valid until the door returns, if the door ends with no tail call (see allocator/CMakeLists.txt).
#define MALLOCSPY_DOOR_FRAME() static_cast<const ::mallocspy::DoorFrame*>(__builtin_frame_address(0))

}  // namespace mallocspy

// How to get from a frame to its caller's: what the call frame information (DWARF 5, section 6.4) says for one return
// address, in 64 bits.
//
//   CFA            = RSP + offset, or RBP + offset, or the word at RBP + offset (a realigned stack)
//   return address = the word at CFA - 8
//   caller's RSP   = CFA
//   caller's RBP   = RBP, or the word at CFA + offset, or the word at RBP + offset
#pragma once

#include <cstdint>

#include "spy/door_frame.h"

namespace mallocspy {

// The registers that frame rules speak of, at a return address or, in the innermost frame, at the call's return.
struct FrameState {
  uintptr_t pc;
  uintptr_t sp;
  uintptr_t bp;
};

// The program's registers at its call of a door.
inline FrameState StateAt(const DoorFrame* frame) {
  return {reinterpret_cast<uintptr_t>(frame->return_address), reinterpret_cast<uintptr_t>(frame + 1),
          frame->caller_frame_pointer};
}

struct FrameRule {
  enum Kind : uint8_t {
    kUnknown = 0,   // not learned
    kFromSp = 1,    // CFA = RSP + cfa_offset
    kFromBp = 2,    // CFA = RBP + cfa_offset
    kBehindBp = 3,  // CFA = *(RBP + cfa_offset)
    kOutermost = 4, // the end of the stack
    kNoRule = 5,    // no call frame information: nothing is known of the caller
    kUnusual = 6,   // signal frames, CFA from another register: left to libunwind
  };
  enum BpPlace : uint8_t {
    kBpKept = 0,      // RBP is the caller's
    kBpAtCfa = 1,     // saved at CFA + bp_offset
    kBpAtBp = 2,      // saved at RBP + bp_offset
  };

  Kind kind;
  BpPlace bp_place;
  int16_t bp_offset;
  int32_t cfa_offset;

  bool steps() const { return kind >= kFromSp && kind <= kBehindBp; }
  // Whether the CFA depends on this frame's RBP.
  bool uses_bp() const { return kind == kFromBp || kind == kBehindBp; }
  // Where the caller's RBP is saved, unless it is kept.
  uintptr_t BpAddress(uintptr_t bp, uintptr_t cfa) const {
    return (bp_place == kBpAtCfa ? cfa : bp) + static_cast<uintptr_t>(bp_offset);
  }
};
static_assert(sizeof(FrameRule) == 8);

}  // namespace mallocspy

// What libunwind knows: the frame rule of a return address, and whole stacks by single steps, slowly.
//
// It runs on a spare stack with signals blocked, reads only what it may (stacks by their bounds, else with the kernel's help),
// and finds call frame information by _dl_find_object(), which takes no lock. libunwind's own locks guard pools that it
// never holds while it calls us; a fork waits for them (BeginFork). Hold no lock of ours.
#pragma once

#include <ucontext.h>

#include <cstddef>
#include <cstdint>

#include "allocator/capture/frame_rule.h"

namespace mallocspy {

// The stack that a thread may read without asking; 0 and 0 if unknown.
struct StackBounds {
  uintptr_t low;
  uintptr_t high;
};

// Loads libunwind. Once, from the library's constructor. False if it is not there: then nothing is known of any address.
bool LoadUnwinder();

// With all signals blocked (signals_blocked.h): the rule of the frame that goes on at `return_address`; kUnknown while it cannot be asked for (a fork is under way, no memory).
FrameRule LearnRule(uintptr_t return_address);

// The frames of the current call chain from the one whose RSP is `first_sp` (or the nearest one outside) outwards, at most `limit`, without any
// rule learned before. `whole`: the outermost frame is among them.
struct UnwoundStack {
  uint32_t depth;
  bool whole;
};
UnwoundStack UnwindStack(uintptr_t* frames, uint32_t limit, uintptr_t first_sp, StackBounds bounds);

// The same of what a signal interrupted, all of it. The innermost frame is where it was interrupted, plus one: told like the others as
// what lies behind the instruction. After a call of a null pointer it is the caller.
UnwoundStack UnwindInterrupted(uintptr_t* frames, uint32_t limit, const ucontext_t& context, StackBounds bounds);

// Whether this thread is inside libunwind, with all signals blocked.
bool IsInUnwinder();

// Around a fork: afterwards no thread is inside libunwind (or `limit_ms` passed), and none enters until EndFork(). So the child
// never inherits a lock of it. The child does not call EndFork() but ResetUnwinderAfterFork(), as often as it likes.
void BeginFork(uint32_t limit_ms);
void EndFork();
void ResetUnwinderAfterFork();

}  // namespace mallocspy

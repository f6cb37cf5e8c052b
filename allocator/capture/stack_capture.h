// The stack of the current call, as return addresses, innermost first, without our own frames.
//
// Exact, or marked as truncated: frames nearer to main are missing when the stack is deeper than asked, when there is too little
// stack left to unwind on, when the thread runs on a stack that is not its own, or when there is no unwinder.
// Takes no lock of ours and allocates nothing; libunwind and the loader may take theirs. Hold no lock.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mallocspy {

struct CapturedStack {
  uint32_t depth;
  bool truncated;
};

// The stack that the thread may unwind in: its own bounds, 0 and 0 if unknown.
struct StackBounds {
  uintptr_t low;
  uintptr_t high;
};

// Fills frames[0..depth) with at most `limit` frames; `frames` has room for `limit` and kOwnFrames more. `caller` is the
// return address of the door's call: all that is recorded where unwinding is not possible (may be null).
CapturedStack CaptureStack(uintptr_t* frames, uint32_t limit, StackBounds bounds, const void* caller);

// This thread left a capture by a longjmp.
void AbandonCapture();

// Loads the unwinder. Once, from the library's constructor; before it, stacks have one frame. False if it is not there.
bool LoadUnwinder();

// Code was unloaded: what the unwinder remembers about its addresses must not be applied to what is loaded there next.
// Stacks cost more from then on (libunwind's fast path remembers for good).
void ForgetUnloadedCode();

// Around a fork: afterwards no thread is inside the unwinder (or `limit_ms` passed), and until EndFork() stacks have one
// frame. So the child never inherits a lock that libunwind or the loader held for us. The child does not call EndFork() but
// ResetCaptureAfterFork(), as often as it likes.
void BeginFork(uint32_t limit_ms);
void EndFork();
void ResetCaptureAfterFork();

}  // namespace mallocspy

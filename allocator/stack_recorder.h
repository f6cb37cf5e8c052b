// From the current call to its record in the ledger: capture, sites, interning.
#pragma once

#include <ucontext.h>

#include <cstdint>

#include "allocator/capture/recent_stacks.h"
#include "allocator/ledger/ledger.h"
#include "allocator/process.h"
#include "allocator/thread_state.h"
#include "spy/door_frame.h"

namespace mallocspy {

// The ledger's stack (counter record) for a block that `door` makes now; 0 if the ledger is full. Inside `thread`'s event,
// with no lock held.
uint32_t RecordStack(ThreadState* thread, Door door);

// The same of the call at `frame`, with this thread's counters of it; these are null if blocks of that door are not recorded, or not in
// full.
RecordedStack CaptureStack(ThreadState* thread, Door door, const DoorFrame* frame);

// With check_capture: ends the program by abort() if RecordStack() does not say `stack` too.
void CheckRecentStack(ThreadState* thread, Door door, uint32_t stack);

// The same as RecordStack(), at once if the stack was recorded lately.
inline uint32_t RecordStackAgain(ThreadState* thread, Door door) {
  if (__builtin_expect(thread->prepared.kind == PreparedStack::kNone && thread->frame != nullptr, 1)) {
    if (const RecordedStack* stack = thread->recent->Find(StateAt(thread->frame), door); stack != nullptr) {
      if (__builtin_expect(g_settings.checks_captures, 0)) CheckRecentStack(thread, door, stack->number);
      return stack->number;
    }
  }
  return RecordStack(thread, door);
}

// The ledger's node of the current stack, for an error's place.
uint32_t RecordPlace(ThreadState* thread);

// The ledger's node of what a signal interrupted; 0 if that is not known. In its handler.
uint32_t RecordInterrupted(ThreadState* thread, const ucontext_t& context);

// Within its scope the calls of this thread record the stack of the call at `frame`, captured now. With `caller_only`, where the spy lock is
// held already, they record no more than the return address of that call.
class StackPreparation {
 public:
  StackPreparation(const DoorFrame* frame, bool caller_only);
  ~StackPreparation();
  StackPreparation(const StackPreparation&) = delete;
  StackPreparation& operator=(const StackPreparation&) = delete;

 private:
  PreparedStack before_ = {};
};

}  // namespace mallocspy

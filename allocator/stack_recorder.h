// From the current call to its record in the ledger: capture, sites, interning.
#pragma once

#include <cstdint>

#include "allocator/capture/known_stack.h"
#include "allocator/ledger/ledger.h"
#include "allocator/thread_state.h"
#include "spy/door_frame.h"

namespace mallocspy {


// The ledger's stack (counter record) for a block that `door` makes now; 0 if the ledger is full. Inside `thread`'s event,
// with no lock held.
uint32_t RecordStack(ThreadState* thread, Door door);

// The same, at once if it is the stack that was recorded last.
inline uint32_t RecordStackAgain(ThreadState* thread, Door door) {
  if (thread->last_stack != 0 && thread->last_door == door && thread->prepared.kind == PreparedStack::kNone &&
      thread->frame != nullptr &&
      thread->known->IsUnchanged(StateAt(thread->frame), {thread->stack_low, thread->stack_high})) {
    return thread->last_stack;
  }
  return RecordStack(thread, door);
}

// The ledger's node of the current stack, for an error's place.
uint32_t RecordPlace(ThreadState* thread);

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

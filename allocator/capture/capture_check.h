// The option check_capture: a stack taken by learned rules must be the one that libunwind finds by single steps.
#pragma once

#include "allocator/capture/known_stack.h"

namespace mallocspy {

// Unwinds the stack that `known` has just followed again, from the frame at `first_sp` on, and ends the program by abort() with both stacks on
// a difference. `scratch` has room for `limit` addresses.
void CheckCapture(KnownStack* known, bool whole, uintptr_t first_sp, StackBounds own, uintptr_t* scratch, uint32_t limit);

// Says that two stacks of the ledger, which should be one, differ, prints them and aborts.
[[noreturn]] void CaptureDiffers(const char* one, uint32_t one_stack, const char* other, uint32_t other_stack);

}  // namespace mallocspy

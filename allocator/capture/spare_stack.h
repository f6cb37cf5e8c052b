// A stack of our own to run libunwind on: what it needs (some KiB) must not come from a program's stack, which may be small or
// nearly full.
#pragma once

namespace mallocspy {

// Runs function(argument) on a spare stack; false if there is no memory for one. Any thread; calls do not nest. With signals blocked
// (signals_blocked.h): a handler could want more stack, or leave by a longjmp.
bool RunOnSpareStack(void (*function)(void* argument), void* argument);

// In a forked child: the stacks that other threads were using are free again.
void ResetSpareStacksAfterFork();

}  // namespace mallocspy

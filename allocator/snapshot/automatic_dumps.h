// Dumps that options ask for: at a size, at an interval, on growth, by a signal; the newest few are kept.
//
// What decides that it is time may be in the middle of an allocation, or a signal handler, so it only sets a timer of the kernel, whose signal
// comes a moment later, and again if it still interrupts something.
#pragma once

#include <csignal>

namespace mallocspy {

// Once, from the library's constructor, after WatchRequests(), whose signal the timer uses.
void WatchAutomaticDumps();

// The requests' signal is another one now.
void MoveDumpTimer();

// In the handler of that signal. True if it came from the timer; then a dump has begun, or will.
bool MeetDumpTimer(const siginfo_t& info, void* context);

}  // namespace mallocspy

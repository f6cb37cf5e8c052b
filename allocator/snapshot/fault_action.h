// The disposition of SIGSEGV while ours stands in the kernel, for faults that are ours. The program has one of its own all the same: the
// signal doors keep it here, and every other fault goes there, as if we were not.
//
// What it means for the program's handler: it has its own signal mask, its flags (SA_RESETHAND, SA_NODEFER, ...) and the stack that it
// asked for. A backtrace in it shows one frame of ours more.
#pragma once

#include <csignal>

namespace mallocspy {

// Takes SIGSEGV; `handle` tells whether a fault was its own, so that the instruction is tried again. Once, after BindSigaction() and
// WatchFatalSignals(). False if it cannot be taken.
bool TakeFaults(bool (*handle)(siginfo_t* info, void* context));

// Whether that was done, for this signal.
bool StandsInFor(int signal);

// For the doors: as sigaction() of that signal, in the program's eyes. With errno.
int SetProgramAction(const struct sigaction* action, struct sigaction* before);
// As signal() and its like, which set `flags`, and block the signal itself in its handler if `blocks`.
sighandler_t SetProgramHandler(sighandler_t handler, int flags, bool blocks);

// In the child of a fork, before it runs anything else.
void ResetFaultsAfterFork();

}  // namespace mallocspy

// The end by a deadly signal: the record is completed first, then the signal does what it would have done.
//
// Only signals at their default disposition are taken, and the program never sees that they are: the signal doors answer SIG_DFL in
// place of our handler and put it back when the program sets SIG_DFL.
#pragma once

#include <csignal>

namespace mallocspy {

// Takes the crash signals (SIGSEGV, SIGABRT, ...) and, where nobody outside can read the ledger of a killed process, also those that ask a program
// to end (SIGTERM, SIGINT, ...). Once, from the library's constructor.
void WatchFatalSignals(bool also_terminations);

// libc's own sigaction, past our door; bound by the constructor.
using SigactionFunction = int (*)(int, const struct sigaction*, struct sigaction*);
void BindSigaction(SigactionFunction function);

// For the signal doors. Whether `action` is our handler; whether `signal` is one that we take at its default; puts our handler in.
bool IsOurAction(const struct sigaction& action);
bool IsOurHandler(sighandler_t handler);
bool IsWatched(int signal);
void TakeSignal(int signal);

// For fault_action.h. libc's own sigaction; -1 if there is none. What our handler does.
int SetActionByLibc(int signal, const struct sigaction* action, struct sigaction* before);
void MeetFatalSignal(int signal, siginfo_t* info, void* context);

}  // namespace mallocspy

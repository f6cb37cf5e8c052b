// Holds all other threads of the process still, by a signal that each answers from its handler, without ptrace and without a helper.
//
// Between Stop() and Release() the other threads wait in the handler, or where they wait for the end of a freeze (thread_state.h), which
// they may do with all signals blocked. Those that did not answer in time (they block all signals, or sleep in the kernel) are named; they
// may be running.
//
// What a program may notice of a stop: nothing in user code, and in most system calls, which the kernel begins again (SA_RESTART: read, write,
// accept, wait, flock, locks and conditions without a time limit, ...). Some it does not after any handler (signal(7)): they return EINTR, as
// they may to every program in which signals are handled. These are poll, select, epoll_wait, nanosleep (with the time that is left),
// pause, sigsuspend, sigtimedwait, msgrcv, msgsnd, semop, futex waits with a time limit (so sem_timedwait, but not pthread_cond_timedwait,
// which waits on), and on sockets with a time limit of their own recv, send, accept and connect.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mallocspy {

struct StoppedThread {
  uint32_t tid;
  bool answered;
  // Of one that answered: where the program's own part of its stack begins, what the kernel saved of its registers, its control block.
  uintptr_t sp;
  uintptr_t registers;  // ucontext_t, or those that a call keeps
  uintptr_t registers_bytes;
  uintptr_t vectors;          // XSAVE area
  uintptr_t vectors_bytes;
  uintptr_t control_block;    // FS base
  // The stack for signal handlers (sigaltstack(2)), if `sp` is on that.
  uintptr_t signal_stack;
  uintptr_t signal_stack_bytes;
};

class StoppedThreads {
 public:
  StoppedThreads() = default;
  ~StoppedThreads();
  StoppedThreads(const StoppedThreads&) = delete;
  StoppedThreads& operator=(const StoppedThreads&) = delete;

  // Stops all threads but the calling one, waiting for answers for `limit_ms` at most. `signal`: which one to use, 0 for a real-time
  // signal that the program does not use; where the queue of those is full, an ordinary one that it does not use. False if threads cannot
  // be found or signalled at all; nothing is stopped then.
  bool Stop(int signal, uint32_t limit_ms);
  void Release();

  size_t size() const { return count_; }
  const StoppedThread& operator[](size_t index) const;
  // Those that did not answer.
  size_t unanswered() const { return unanswered_; }

 private:
  bool AddNewThreads(bool* added);
  bool Ask(uint32_t tid);
  void Settle();

  size_t count_ = 0;
  size_t unanswered_ = 0;
  bool stopped_ = false;
};

}  // namespace mallocspy

// Holds all other threads of the process still, by a signal that each answers from its handler, without ptrace and without a helper.
//
// Between Stop() and Release() the other threads wait in the handler. Those that did not answer in time (they block all signals, or sleep
// in the kernel) are named; they may be running. System calls that a signal interrupts are begun again where the kernel can (SA_RESTART);
// the others return EINTR, as for any signal.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mallocspy {

struct StoppedThread {
  uint32_t tid;
  bool answered;
  // Of one that answered: where the program's own part of its stack begins, what the kernel saved of its registers, its control block.
  uintptr_t sp;
  uintptr_t registers;        // ucontext_t
  uintptr_t registers_bytes;
  uintptr_t vectors;          // XSAVE area
  uintptr_t vectors_bytes;
  uintptr_t control_block;    // FS base
};

class StoppedThreads {
 public:
  StoppedThreads() = default;
  ~StoppedThreads();
  StoppedThreads(const StoppedThreads&) = delete;
  StoppedThreads& operator=(const StoppedThreads&) = delete;

  // Stops all threads but the calling one, waiting for answers for `limit_ms` at most. `signal`: which one to use, 0 for a real-time
  // signal that the program does not use. False if threads cannot be found or signalled at all; nothing is stopped then.
  bool Stop(int signal, uint32_t limit_ms);
  void Release();

  size_t size() const { return count_; }
  const StoppedThread& operator[](size_t index) const;
  // Those that did not answer.
  size_t unanswered() const { return unanswered_; }

 private:
  bool AddNewThreads(bool* added);

  size_t count_ = 0;
  size_t unanswered_ = 0;
  int signal_ = 0;
  bool stopped_ = false;
};

}  // namespace mallocspy

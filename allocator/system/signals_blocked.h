// Within its scope no signal handler runs on this thread.
#pragma once

#include <signal.h>

#include <cstdint>

#include "allocator/system/raw_syscall.h"

namespace mallocspy {

class SignalsBlocked {
 public:
  SignalsBlocked() { Block(); }
  ~SignalsBlocked() {
    if (blocked_) RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, sizeof(before_));
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 protected:
  struct Later {};
  // Only from Block() on.
  explicit SignalsBlocked(Later) {}
  void Block() {
    if (blocked_) return;
    const uint64_t all = ~uint64_t{0};
    RawSyscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, &before_, sizeof(all));
    blocked_ = true;
  }

 private:
  uint64_t before_ = 0;
  bool blocked_ = false;
};

// The same from the first time that it is asked for.
class SignalsBlockedOnDemand : public SignalsBlocked {
 public:
  SignalsBlockedOnDemand() : SignalsBlocked(Later{}) {}
  using SignalsBlocked::Block;
};

}  // namespace mallocspy

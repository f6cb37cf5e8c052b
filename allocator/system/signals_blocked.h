// Within its scope no signal handler runs on this thread.
#pragma once

#include <signal.h>

#include <cstdint>

#include "allocator/system/raw_syscall.h"

namespace mallocspy {

class SignalsBlocked {
 public:
  SignalsBlocked() {
    const uint64_t all = ~uint64_t{0};
    RawSyscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, &before_, sizeof(all));
  }
  ~SignalsBlocked() { RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, sizeof(before_)); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  uint64_t before_ = 0;
};

}  // namespace mallocspy

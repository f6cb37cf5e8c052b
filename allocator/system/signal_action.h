// Handlers set past libc, whose sigaction() is the program's: nothing of libc's is asked, and nothing is remembered for the program.
#pragma once

#include <csignal>
#include <cstdint>

namespace mallocspy {

// The kernel's own layout (asm/signal.h).
struct KernelAction {
  uintptr_t handler;  // SIG_DFL, SIG_IGN or a function
  uint64_t flags;
  void (*restorer)();
  uint64_t mask;
};

// `handler` with SA_SIGINFO and `flags`; while it runs all signals in `mask` wait.
KernelAction HandledBy(void (*handler)(int, siginfo_t*, void*), uint64_t flags, uint64_t mask);

// `before` may be null. False if the kernel refuses.
bool SetKernelAction(int signal, const KernelAction& action, KernelAction* before);
bool GetKernelAction(int signal, KernelAction* now);

}  // namespace mallocspy

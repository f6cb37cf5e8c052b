#include "allocator/system/signal_action.h"

#include "allocator/system/raw_syscall.h"

// SA_RESTORER: what the kernel returns to after the handler.
extern "C" __attribute__((visibility("hidden"))) void mallocspy_signal_return();
asm(".text\n"
    ".hidden mallocspy_signal_return\n"
    ".globl mallocspy_signal_return\n"
    ".type mallocspy_signal_return, @function\n"
    "mallocspy_signal_return:\n"
    "  mov $15, %eax\n"  // rt_sigreturn
    "  syscall\n"
    ".size mallocspy_signal_return, .-mallocspy_signal_return\n");

namespace mallocspy {
namespace {

constexpr uint64_t kRestorer = 0x04000000;  // SA_RESTORER

}  // namespace

KernelAction HandledBy(void (*handler)(int, siginfo_t*, void*), uint64_t flags, uint64_t mask) {
  return {reinterpret_cast<uintptr_t>(handler), flags | SA_SIGINFO | kRestorer, mallocspy_signal_return, mask};
}

bool SetKernelAction(int signal, const KernelAction& action, KernelAction* before) {
  return !RawFailed(RawSyscall(SYS_rt_sigaction, signal, &action, before, sizeof(action.mask)));
}

bool GetKernelAction(int signal, KernelAction* now) {
  return !RawFailed(RawSyscall(SYS_rt_sigaction, signal, nullptr, now, sizeof(now->mask)));
}

}  // namespace mallocspy

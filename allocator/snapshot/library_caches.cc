#include "allocator/snapshot/library_caches.h"

#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>

#include "allocator/system/raw_syscall.h"
#include "allocator/system/signal_action.h"
#include "allocator/thread_state.h"
#include "allocator/wrapping_allocator.h"
#include "spy/spy_chain.h"

// Of the libraries that the program started with.
extern "C" __attribute__((weak)) void __libc_freeres();
extern "C" __attribute__((weak)) void _ZN9__gnu_cxx9__freeresEv();

namespace mallocspy {
namespace {

constexpr int kObstacles[] = {SIGALRM, SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGTRAP};
constexpr timeval kLimit = {1, 0};

constinit void* way_back[5] = {};  // __builtin_setjmp()

void OnObstacle(int, siginfo_t*, void*) { __builtin_longjmp(way_back, 1); }

// They may wait for a lock that is nobody's in the copy, or find what another thread was just about to change.
void SetWatch(bool on) {
  const itimerval never = {};
  const itimerval limit = {{}, kLimit};
  const KernelAction action = HandledBy(OnObstacle, SA_NODEFER, 0);
  uint64_t watched = 0;
  for (const int signal : kObstacles) {
    if (on) SetKernelAction(signal, action, nullptr);
    watched |= uint64_t{1} << (signal - 1);
  }
  RawSyscall(SYS_rt_sigprocmask, on ? SIG_UNBLOCK : SIG_BLOCK, &watched, nullptr, sizeof(watched));
  RawSyscall(SYS_setitimer, ITIMER_REAL, on ? &limit : &never, nullptr);
}

// A jump back must not lead into a function that was inlined around it.
__attribute__((noinline)) void AskLibraries() {
  if (__builtin_setjmp(way_back) != 0) return;
  if (_ZN9__gnu_cxx9__freeresEv != nullptr) _ZN9__gnu_cxx9__freeresEv();
  if (__libc_freeres != nullptr) __libc_freeres();
}

// False where the kernel does not know how, or may not.
bool CloseDescriptors(unsigned from, unsigned to) { return from > to || !RawFailed(RawSyscall(SYS_close_range, from, to, 0)); }

bool CloseAllBut(int one, int other) {
  const unsigned low = static_cast<unsigned>(one < other ? one : other);
  const unsigned high = static_cast<unsigned>(one < other ? other : one);
  return CloseDescriptors(high + 1, ~0u) && CloseDescriptors(low + 1, high - 1) && (low == 0 || CloseDescriptors(0, low - 1));
}

}  // namespace

void FindLibraryCaches(int kept_fd, void (*freed)(void* block, void* context), void* context) {
  if (spy_chain.HasShifted()) return;  // what they free is then another pointer than the block's
  // Standard error is a stream of libc's, too.
  const long standard_error = RawSyscall(SYS_fcntl, STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  const int kept_error = RawFailed(standard_error) ? kept_fd : static_cast<int>(standard_error);
  if (CloseAllBut(kept_fd >= 0 ? kept_fd : kept_error, kept_error)) {
    spy_chain.SetHookMalloc(false);
    SetPhase(Phase::kOver);
    g_picture_frees = {freed, context};
    SetWatch(true);
    AskLibraries();
    SetWatch(false);
    g_picture_frees = {};
  }
  if (!RawFailed(standard_error)) {
    RawSyscall(SYS_dup2, standard_error, STDERR_FILENO);
    RawSyscall(SYS_close, standard_error);
  }
}

}  // namespace mallocspy

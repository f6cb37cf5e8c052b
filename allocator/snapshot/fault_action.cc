#include "allocator/snapshot/fault_action.h"

#include <ucontext.h>

#include <cstdint>

#include "allocator/process.h"
#include "allocator/snapshot/fatal_signals.h"
#include "allocator/system/errno_keeper.h"
#include "allocator/system/raw_syscall.h"
#include "allocator/system/signal_action.h"
#include "allocator/system/signals_blocked.h"
#include "allocator/thread_state.h"
#include "spy/futex_lock.h"

namespace mallocspy {
namespace {

using FaultHandler = bool (*)(siginfo_t*, void*);
constinit FaultHandler handle_fault = nullptr;
constinit bool taken = false;

// Taken with all signals blocked, in the handler too.
constinit FutexLock lock;
constinit struct sigaction program_action = {};  // under lock

constexpr uint64_t kFaultBit = uint64_t{1} << (SIGSEGV - 1);

bool IsFunction(const struct sigaction& action) { return action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN; }

uint64_t MaskOf(const sigset_t& set) { return *reinterpret_cast<const uint64_t*>(&set); }

void EndByDefault(int signal, siginfo_t* info, void* context) {
  if (IsWatched(signal)) return MeetFatalSignal(signal, info, context);
  SetKernelAction(signal, {}, nullptr);
  // A fault happens again when its instruction does.
  if (info->si_code <= 0) RawSyscall(SYS_tgkill, RawSyscall(SYS_getpid), RawSyscall(SYS_gettid), signal);
}

void PassOn(int signal, siginfo_t* info, void* context) {
  struct sigaction action;
  {
    const SignalsBlocked blocked;
    const FutexLockHolder hold(lock);
    action = program_action;
    if (IsFunction(action) && (action.sa_flags & SA_RESETHAND) != 0) program_action.sa_handler = SIG_DFL;
  }
  if (action.sa_handler == SIG_IGN && info->si_code <= 0) return;
  if (!IsFunction(action)) return EndByDefault(signal, info, context);
  // The kernel would have set it before the handler. Afterwards it sets what the context says.
  uint64_t mask = MaskOf(static_cast<const ucontext_t*>(context)->uc_sigmask) | MaskOf(action.sa_mask);
  if ((action.sa_flags & SA_NODEFER) == 0) mask |= kFaultBit;
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof(mask));
  action.sa_sigaction(signal, info, context);
}

void OnFault(int signal, siginfo_t* info, void* context) {
  {
    const ErrnoKeeper keeper;
    if (info->si_code > 0 && handle_fault(info, context)) return;
  }
  PassOn(signal, info, context);
}

// Ours, on the stack that the program's would be on. Nothing is blocked: what interrupts it may fault, too.
struct sigaction OurAction(const struct sigaction& programs) {
  struct sigaction action = {};
  action.sa_sigaction = OnFault;
  const int theirs = IsFunction(programs) ? programs.sa_flags & (SA_ONSTACK | SA_RESTART) : SA_ONSTACK | SA_RESTART;
  action.sa_flags = SA_SIGINFO | SA_NODEFER | theirs;
  return action;
}

// A vfork child shares the address space, but not the dispositions. One of a fork that has recorded nothing yet has both for itself, and is
// no reason for a record.
bool IsProgramsOwn() { return CurrentPhase() == Phase::kNotStarted || IsRecordedProcess(); }

}  // namespace

bool TakeFaults(bool (*handle)(siginfo_t* info, void* context)) {
  handle_fault = handle;
  struct sigaction now = {};
  if (SetActionByLibc(SIGSEGV, nullptr, &now) != 0) return false;
  if (IsOurAction(now)) {
    now = {};
    now.sa_handler = SIG_DFL;
  }
  program_action = now;
  const struct sigaction ours = OurAction(now);
  taken = SetActionByLibc(SIGSEGV, &ours, nullptr) == 0;
  return taken;
}

bool StandsInFor(int signal) { return taken && signal == SIGSEGV; }

int SetProgramAction(const struct sigaction* action, struct sigaction* before) {
  if (!IsProgramsOwn()) {
    const int result = SetActionByLibc(SIGSEGV, action, before);
    if (result == 0 && before != nullptr && before->sa_sigaction == OnFault) *before = program_action;
    return result;
  }
  const SignalsBlocked blocked;
  const FutexLockHolder hold(lock);
  const struct sigaction old = program_action;
  if (action != nullptr) {
    const struct sigaction ours = OurAction(*action);
    if (const int result = SetActionByLibc(SIGSEGV, &ours, nullptr); result != 0) return result;
    program_action = *action;
  }
  if (before != nullptr) *before = old;
  return 0;
}

sighandler_t SetProgramHandler(sighandler_t handler, int flags, bool blocks) {
  struct sigaction action = {};
  struct sigaction before = {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  if (blocks) *reinterpret_cast<uint64_t*>(&action.sa_mask) = kFaultBit;
  return SetProgramAction(&action, &before) == 0 ? before.sa_handler : SIG_ERR;
}

void ResetFaultsAfterFork() { lock.Reset(); }

}  // namespace mallocspy

#include "allocator/snapshot/fatal_signals.h"

#include <ucontext.h>

#include <cstdint>

#include "allocator/ledger/ledger.h"
#include "allocator/process.h"
#include "allocator/snapshot/ending.h"
#include "allocator/stack_recorder.h"
#include "allocator/system/errno_keeper.h"
#include "allocator/system/os_memory.h"
#include "allocator/system/raw_syscall.h"
#include "allocator/system/signal_action.h"
#include "allocator/thread_state.h"

namespace mallocspy {
namespace {

constexpr int kCrashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
constexpr int kTerminations[] = {SIGTERM, SIGINT,  SIGHUP,    SIGQUIT, SIGPIPE, SIGALRM, SIGUSR1, SIGUSR2,
                                 SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGPOLL, SIGPWR,  SIGSTKFLT};

constinit uint64_t watched = 0;  // bit number = signal number; written in the constructor only

constinit SigactionFunction set_action = nullptr;

void NoteStruck(const ucontext_t& context) {
  const Event event;
  if (!event.recording() || !IsRecordedProcess()) return;
  ledger::g_ledger.header().end_node.store(RecordInterrupted(event.thread(), context), std::memory_order_relaxed);
}

void OnFatalSignal(int signal, siginfo_t* info, void* context_pointer) {
  const ErrnoKeeper keeper;
  const ucontext_t* context = static_cast<const ucontext_t*>(context_pointer);
  constexpr uintptr_t kRedZone = 128;
  const ProgramPoint point = {static_cast<uint32_t>(RawSyscall(SYS_gettid)),
                              static_cast<uintptr_t>(context->uc_mcontext.gregs[REG_RSP]) - kRedZone,
                              reinterpret_cast<uintptr_t>(context), sizeof(*context)};
  NoteStruck(*context);
  EndRecord(ledger::End::kSignal, signal, &point);
  // Only now: had another thread met the same signal meanwhile, the default would have ended the process in the middle.
  SetKernelAction(signal, {}, nullptr);
  // A fault happens again when its instruction does; a signal that was sent is sent again. It is blocked until this
  // handler returns.
  const bool fault = info->si_code > 0 && (signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE);
  if (!fault) RawSyscall(SYS_tgkill, RawSyscall(SYS_getpid), RawSyscall(SYS_gettid), signal);
}

}  // namespace

int SetActionByLibc(int signal, const struct sigaction* action, struct sigaction* before) {
  return set_action != nullptr ? set_action(signal, action, before) : -1;
}
void MeetFatalSignal(int signal, siginfo_t* info, void* context) { OnFatalSignal(signal, info, context); }

void BindSigaction(SigactionFunction function) { set_action = function; }

void TakeSignal(int signal) {
  struct sigaction action = {};
  action.sa_sigaction = OnFatalSignal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  SetActionByLibc(signal, &action, nullptr);
}

bool IsOurAction(const struct sigaction& action) { return action.sa_sigaction == OnFatalSignal; }
bool IsOurHandler(sighandler_t handler) { return reinterpret_cast<void*>(handler) == reinterpret_cast<void*>(OnFatalSignal); }
bool IsWatched(int signal) { return signal > 0 && signal < 64 && (watched >> signal & 1) != 0; }

namespace {

// A stack that overflowed is no place for a handler. Only the main thread gets another one, and only if it has none: what a
// program does about its own threads' is its own.
void GiveAlternateStack() {
  constexpr size_t kBytes = 128 * 1024;
  stack_t now = {};
  if (RawFailed(RawSyscall(SYS_sigaltstack, nullptr, &now)) || (now.ss_flags & SS_DISABLE) == 0) return;
  stack_t mine = {};
  mine.ss_sp = MapPrivate(kBytes);
  mine.ss_size = kBytes;
  if (mine.ss_sp != nullptr) RawSyscall(SYS_sigaltstack, &mine, nullptr);
}

}  // namespace

void WatchFatalSignals(bool also_terminations) {
  const auto watch = [](int signal) {
    watched |= uint64_t{1} << signal;
    struct sigaction now = {};
    if (SetActionByLibc(signal, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) TakeSignal(signal);
  };
  for (const int signal : kCrashes) watch(signal);
  if (!also_terminations) return;
  GiveAlternateStack();
  for (const int signal : kTerminations) watch(signal);
}

}  // namespace mallocspy

// The program's view of its signal dispositions: where our handler of a deadly signal or of requests stands, it sees the default, and where
// that of page faults stands, its own.
#include <csignal>
#include <cstring>

#include "allocator/interpose/export.h"
#include "allocator/interpose/next.h"
#include "allocator/snapshot/fatal_signals.h"
#include "allocator/snapshot/fault_action.h"
#include "allocator/snapshot/live_request.h"
#include "allocator/system/errno_keeper.h"

namespace {

using mallocspy::Next;

constinit Next<mallocspy::SigactionFunction> next_sigaction("sigaction");

using SignalFunction = sighandler_t (*)(int, sighandler_t);
constinit Next<SignalFunction> next_signal("signal");
constinit Next<SignalFunction> next_sysv_signal("__sysv_signal");
constinit Next<SignalFunction> next_sigset("sigset");

constexpr int kOnce = static_cast<int>(SA_RESETHAND) | SA_NODEFER;  // as in System V

bool IsTakenForRequests(int number) { return number > 0 && number == mallocspy::RequestSignal(); }

// `flags` and `blocks` are what `next` sets for a handler.
sighandler_t Set(SignalFunction next, int number, sighandler_t handler, int flags, bool blocks) {
  if (mallocspy::StandsInFor(number) && handler != SIG_ERR) return mallocspy::SetProgramHandler(handler, flags, blocks);
  if (IsTakenForRequests(number)) {
    if (handler == SIG_DFL) return SIG_DFL;
    mallocspy::LeaveRequestSignal();
  }
  const sighandler_t before = next(number, handler);
  if (before == SIG_ERR) return before;
  const mallocspy::ErrnoKeeper keeper;
  if (handler == SIG_DFL && mallocspy::IsWatched(number)) mallocspy::TakeSignal(number);
  return mallocspy::IsOurHandler(before) ? SIG_DFL : before;
}

}  // namespace

extern "C" {

MALLOCSPY_DOOR int sigaction(int number, const struct sigaction* action, struct sigaction* before) {
  if (mallocspy::StandsInFor(number)) return mallocspy::SetProgramAction(action, before);
  if (IsTakenForRequests(number)) {
    if (action == nullptr || action->sa_handler == SIG_DFL) {
      if (before != nullptr) {
        *before = {};
        before->sa_handler = SIG_DFL;
      }
      return 0;
    }
    mallocspy::LeaveRequestSignal();
  }
  // The caller may use one struct for both.
  const bool to_default = action != nullptr && action->sa_handler == SIG_DFL;
  const int result = next_sigaction.get()(number, action, before);
  if (result != 0) return result;
  if (before != nullptr && mallocspy::IsOurAction(*before)) {
    *before = {};
    before->sa_handler = SIG_DFL;
  }
  if (to_default && mallocspy::IsWatched(number)) mallocspy::TakeSignal(number);
  return result;
}

MALLOCSPY_DOOR sighandler_t signal(int number, sighandler_t handler) {
  return Set(next_signal.get(), number, handler, SA_RESTART, true);
}
MALLOCSPY_DOOR sighandler_t bsd_signal(int number, sighandler_t handler) {
  return Set(next_signal.get(), number, handler, SA_RESTART, true);
}
MALLOCSPY_DOOR sighandler_t ssignal(int number, sighandler_t handler) {
  return Set(next_signal.get(), number, handler, SA_RESTART, true);
}
MALLOCSPY_DOOR sighandler_t sysv_signal(int number, sighandler_t handler) {
  return Set(next_sysv_signal.get(), number, handler, kOnce, false);
}
MALLOCSPY_DOOR sighandler_t __sysv_signal(int number, sighandler_t handler) {
  return Set(next_sysv_signal.get(), number, handler, kOnce, false);
}
// It also sets and tells whether the signal is blocked.
MALLOCSPY_DOOR sighandler_t sigset(int number, sighandler_t handler) {
  if (!mallocspy::StandsInFor(number) || handler == SIG_ERR) return Set(next_sigset.get(), number, handler, 0, false);
  sigset_t one;
  sigset_t before;
  sigemptyset(&one);
  sigaddset(&one, number);
  if (pthread_sigmask(handler == SIG_HOLD ? SIG_BLOCK : SIG_UNBLOCK, &one, &before) != 0) return SIG_ERR;
  struct sigaction now;
  if (handler == SIG_HOLD && mallocspy::SetProgramAction(nullptr, &now) != 0) return SIG_ERR;
  const sighandler_t old = handler == SIG_HOLD ? now.sa_handler : mallocspy::SetProgramHandler(handler, 0, false);
  return old != SIG_ERR && sigismember(&before, number) != 0 ? SIG_HOLD : old;
}

}  // extern "C"

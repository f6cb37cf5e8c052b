// The program's view of its signal dispositions: where our handler of a deadly signal stands, it sees the default.
#include <csignal>
#include <cstring>

#include "allocator/interpose/export.h"
#include "allocator/interpose/next.h"
#include "allocator/snapshot/fatal_signals.h"
#include "allocator/system/errno_keeper.h"

namespace {

using mallocspy::Next;

constinit Next<mallocspy::SigactionFunction> next_sigaction("sigaction");

using SignalFunction = sighandler_t (*)(int, sighandler_t);
constinit Next<SignalFunction> next_signal("signal");
constinit Next<SignalFunction> next_sysv_signal("__sysv_signal");
constinit Next<SignalFunction> next_sigset("sigset");

sighandler_t Set(SignalFunction next, int number, sighandler_t handler) {
  const sighandler_t before = next(number, handler);
  if (before == SIG_ERR) return before;
  const mallocspy::ErrnoKeeper keeper;
  if (handler == SIG_DFL && mallocspy::IsWatched(number)) mallocspy::TakeSignal(number);
  return mallocspy::IsOurHandler(before) ? SIG_DFL : before;
}

}  // namespace

extern "C" {

MALLOCSPY_DOOR int sigaction(int number, const struct sigaction* action, struct sigaction* before) {
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

MALLOCSPY_DOOR sighandler_t signal(int number, sighandler_t handler) { return Set(next_signal.get(), number, handler); }
MALLOCSPY_DOOR sighandler_t bsd_signal(int number, sighandler_t handler) {
  return Set(next_signal.get(), number, handler);
}
MALLOCSPY_DOOR sighandler_t ssignal(int number, sighandler_t handler) { return Set(next_signal.get(), number, handler); }
MALLOCSPY_DOOR sighandler_t sysv_signal(int number, sighandler_t handler) {
  return Set(next_sysv_signal.get(), number, handler);
}
MALLOCSPY_DOOR sighandler_t __sysv_signal(int number, sighandler_t handler) {
  return Set(next_sysv_signal.get(), number, handler);
}
MALLOCSPY_DOOR sighandler_t sigset(int number, sighandler_t handler) { return Set(next_sigset.get(), number, handler); }

}  // extern "C"

#include "allocator/snapshot/live_request.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/resource.h>
#include <ucontext.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "allocator/ledger/ledger.h"
#include "allocator/marks.h"
#include "allocator/process.h"
#include "allocator/reading_turn.h"
#include "allocator/snapshot/automatic_dumps.h"
#include "allocator/snapshot/fatal_signals.h"
#include "allocator/snapshot/live_picture.h"
#include "allocator/snapshot/snapshot_file.h"
#include "allocator/system/clock.h"
#include "allocator/system/errno_keeper.h"
#include "allocator/system/os_memory.h"
#include "allocator/system/own_stack.h"
#include "allocator/system/raw_syscall.h"
#include "allocator/system/signal_action.h"
#include "allocator/thread_state.h"

namespace mallocspy {
namespace {

using ledger::g_ledger;
using ledger::RequestSlot;

constexpr uint64_t kCopyCpuSeconds = 600;
constexpr int kPipeBytes = 1 << 20;
constexpr size_t kStackBytes = 256 * 1024;

constinit std::atomic<int> request_signal{0};
constinit char* request_stack = nullptr;  // one request at a time

struct Dump {
  RequestSlot* slot;  // also in the copy, whose ledger is its own
  uint64_t next_mark;
};

void Say(RequestSlot* slot, uint32_t error) {
  slot->error.store(error, std::memory_order_relaxed);
  slot->state.store(RequestSlot::kDone, std::memory_order_release);
  RawSyscall(SYS_futex, &slot->state, FUTEX_WAKE, INT32_MAX);
}

// All threads are held.
void BeginDumpsMark(void* context) { static_cast<Dump*>(context)->next_mark = BeginMarkFrozen(); }

// In the copy: descriptors 0 and 1 become a pipe, and no other is left. False if there is none.
bool OpenPipe() {
  if (RawFailed(RawSyscall(SYS_close_range, 0, ~0u, 0))) {  // Linux before 5.9
    for (int fd = 0; fd < 65536; ++fd) RawSyscall(SYS_close, fd);
  }
  int ends[2];
  if (RawFailed(RawSyscall(SYS_pipe2, ends, O_CLOEXEC | O_NONBLOCK)) || ends[0] != 0) return false;
  RawSyscall(SYS_fcntl, ends[1], F_SETPIPE_SZ, kPipeBytes);
  return true;
}

// In the copy, which is a process that nobody waits for: it must not stay for ever.
bool WriteDump(void* context) {
  const Dump* dump = static_cast<Dump*>(context);
  const rlimit limit = {kCopyCpuSeconds, kCopyCpuSeconds};
  RawSyscall(SYS_prlimit64, 0, RLIMIT_CPU, &limit, nullptr);
  if (!OpenPipe()) {
    Say(dump->slot, EMFILE);
    return false;
  }
  CompletePicture(dump->next_mark);
  dump->slot->fd = 0;
  Say(dump->slot, 0);
  SnapshotSink sink = SnapshotSink::Pipe(1, 0);
  return WriteSnapshot(&sink, 0, {dump->slot->graph != 0, dump->slot->contents});
}

void MakeDump(RequestSlot* slot, const ProgramPoint& point) {
  Dump dump = {slot, 0};
  const uint64_t asked_us = MonotonicUs();
  const int error = WorkInLivePicture(point, {Afterwards::kGoesAlone, WriteDump, &dump, slot->graph != 0, BeginDumpsMark});
  slot->copy.store(LastPause().copy, std::memory_order_release);
  slot->number = dump.next_mark;
  slot->unanswered = LastPause().unanswered;
  // All of it, with the wait for events to end.
  slot->pause_us.store(static_cast<uint32_t>(LastPause().released_us - asked_us) + 1, std::memory_order_release);
  if (error != 0) Say(slot, static_cast<uint32_t>(error));
}

void MakeMark(RequestSlot* slot) {
  char name[sizeof(slot->name)];
  std::memcpy(name, slot->name, sizeof(name));
  name[sizeof(name) - 1] = '\0';
  slot->number = BeginMark(name);
  Say(slot, slot->number != 0 ? 0 : ENODATA);
}

void Serve(void* context) {
  const ProgramPoint& point = *static_cast<const ProgramPoint*>(context);
  RequestSlot* slot = &g_ledger.header().request;
  switch (slot->kind) {
    case RequestSlot::kMark:
      return MakeMark(slot);
    case RequestSlot::kDump:
      return MakeDump(slot, point);
    default:
      return Say(slot, EINVAL);
  }
}

void OnRequest(int signal, siginfo_t* info, void* context_pointer) {
  if (info->si_code == SI_TIMER) {
    const ErrnoKeeper keeper;
    if (MeetDumpTimer(*info, context_pointer)) return;
  }
  if (info->si_code != SI_QUEUE || info->si_int != RequestSlot::kCookie) return MeetFatalSignal(signal, info, context_pointer);
  const ErrnoKeeper keeper;
  // The signal comes again until somebody took the request: what cannot be done in the middle of something can later.
  if (InterruptedEvent() || ReadingTurn::IsHere() || CurrentPhase() == Phase::kNotStarted || !IsRecordedProcess()) return;
  RequestSlot* slot = &g_ledger.header().request;
  uint32_t asked = RequestSlot::kAsked;
  if (!slot->state.compare_exchange_strong(asked, RequestSlot::kTaken, std::memory_order_acq_rel)) return;
  const ucontext_t* context = static_cast<const ucontext_t*>(context_pointer);
  constexpr uintptr_t kRedZone = 128;
  ProgramPoint point = {static_cast<uint32_t>(RawSyscall(SYS_gettid)), static_cast<uintptr_t>(context->uc_mcontext.gregs[REG_RSP]) - kRedZone,
                        reinterpret_cast<uintptr_t>(context), sizeof(*context)};
  CallOnStack(request_stack + kStackBytes, Serve, &point);
}

// From the highest downwards: libraries take theirs from below. A stop takes the next one for itself, for as long as it lasts.
int TakeUnusedSignal(int below) {
  constexpr int kLowest = 36;  // 32 to 34 are libc's own, and one is left for the stop
  for (int signal = below; signal >= kLowest; --signal) {
    KernelAction now = {};
    if (!GetKernelAction(signal, &now) || now.handler != 0) continue;
    SetKernelAction(signal, HandledBy(OnRequest, SA_RESTART | SA_ONSTACK, ~uint64_t{0}), nullptr);
    return signal;
  }
  return 0;
}

void Announce(int signal) {
  request_signal.store(signal, std::memory_order_relaxed);
  g_ledger.header().request.signal.store(static_cast<uint32_t>(signal), std::memory_order_release);
}

}  // namespace

void WatchRequests() {
  if (!g_ledger.memory().shared()) return;
  request_stack = static_cast<char*>(MapPrivate(kStackBytes));
  if (request_stack != nullptr) Announce(TakeUnusedSignal(SIGRTMAX));
}

int RequestSignal() { return request_signal.load(std::memory_order_relaxed); }

void LeaveRequestSignal() {
  const int before = RequestSignal();
  if (before == 0) return;
  Announce(TakeUnusedSignal(before - 1));
  MoveDumpTimer();
  // One that is still pending must not meet the program's own action: to ignore it discards it.
  KernelAction ignore = {};
  ignore.handler = reinterpret_cast<uintptr_t>(SIG_IGN);
  SetKernelAction(before, ignore, nullptr);
  SetKernelAction(before, {}, nullptr);
}

}  // namespace mallocspy

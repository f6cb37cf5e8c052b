#include "allocator/snapshot/automatic_dumps.h"

#include <time.h>
#include <ucontext.h>

#include <atomic>
#include <cerrno>

#include "allocator/ledger/ledger.h"
#include "allocator/ledger/thread_counters.h"
#include "allocator/process.h"
#include "allocator/reading_turn.h"
#include "allocator/snapshot/dump_file.h"
#include "allocator/snapshot/live_request.h"
#include "allocator/system/clock.h"
#include "allocator/system/errno_keeper.h"
#include "allocator/system/initial_stack.h"
#include "allocator/system/os_memory.h"
#include "allocator/system/own_stack.h"
#include "allocator/system/raw_log.h"
#include "allocator/system/raw_syscall.h"
#include "allocator/system/signal_action.h"
#include "allocator/thread_state.h"

namespace mallocspy {
namespace {

using ledger::g_ledger;

constexpr int64_t kNever = INT64_MAX;
constexpr int64_t kLeastGrowth = 1 << 20;  // bytes: growth of less is none
constexpr uint64_t kSoonNs = 1000;
constexpr uint64_t kAgainNs = 2000000;
constexpr size_t kStackBytes = 256 * 1024;
constexpr int kTimerCookie = 0x706d7564;

constinit std::atomic<int64_t> above{kNever};   // live bytes at which a dump is due
constinit std::atomic<int64_t> below{-kNever};  // ... at which `above` is dump_at_bytes again
constinit std::atomic<int64_t> next_every_us{kNever};
constinit int timer = -1;
constinit uint32_t timer_pid = 0;      // a forked child does not have it
constinit uint32_t* writing = nullptr;  // the copy that writes a dump; shared with it
constinit char* dump_stack = nullptr;
constinit std::atomic<bool> dumping{false};
constinit uint64_t dumps = 0;

void SetTimer(uint64_t ns) {
  if (timer < 0 || timer_pid != RawSyscall(SYS_getpid)) return;
  const struct itimerspec when = {{0, 0}, {static_cast<time_t>(ns / 1000000000), static_cast<long>(ns % 1000000000)}};
  RawSyscall(SYS_timer_settime, timer, 0, &when, nullptr);
}

// For the next interval, or never.
void AwaitInterval() {
  const int64_t next = next_every_us.load(std::memory_order_relaxed);
  if (next == kNever) return;
  const int64_t now = static_cast<int64_t>(MonotonicUs());
  SetTimer(next > now ? static_cast<uint64_t>(next - now) * 1000 : kSoonNs);
}

// Called when the process's live bytes have changed, by any thread, inside an event.
void WatchLiveBytes(int64_t live) {
  if (live <= below.load(std::memory_order_relaxed)) {
    below.store(-kNever, std::memory_order_relaxed);
    above.store(static_cast<int64_t>(ProcessOptions().dump_at_bytes), std::memory_order_relaxed);
  }
  int64_t limit = above.load(std::memory_order_relaxed);
  if (live < limit || !above.compare_exchange_strong(limit, kNever, std::memory_order_relaxed)) return;
  SetTimer(kSoonNs);
}

// What `above` and `below` are after a dump.
void AwaitGrowth() {
  const Options& options = ProcessOptions();
  const int64_t live = g_ledger.header().live_bytes.load(std::memory_order_relaxed);
  const int64_t at_bytes = static_cast<int64_t>(options.dump_at_bytes);
  int64_t next = kNever;
  if (at_bytes != 0 && live < at_bytes) next = at_bytes;
  if (at_bytes != 0 && live >= at_bytes) below.store(at_bytes - at_bytes / 10, std::memory_order_relaxed);
  if (options.dump_on_growth != 0) {
    const int64_t growth = live / 100 * static_cast<int64_t>(options.dump_on_growth);
    const int64_t grown = live + (growth > kLeastGrowth ? growth : kLeastGrowth);
    if (grown < next) next = grown;
  }
  above.store(next, std::memory_order_relaxed);
}

bool IsWriting() { return *writing != 0 && RawSyscall(SYS_kill, *writing, 0) == 0; }

void Dump(void* context) {
  const ProgramPoint& point = *static_cast<const ProgramPoint*>(context);
  const OptionText pattern = ProcessOptions().dump_to;
  static char path[kDumpPathBytes];
  static char oldest[kDumpPathBytes];
  const uint64_t number = ++dumps;
  oldest[0] = '\0';
  if (!DumpPath(pattern.data, pattern.size, number, path)) return;
  if (number > ProcessOptions().dump_keep) DumpPath(pattern.data, pattern.size, number - ProcessOptions().dump_keep, oldest);
  if (__builtin_strcmp(oldest, path) == 0) oldest[0] = '\0';  // without %n each replaces the one before
  if (const int error = BeginDumpToFile(point, path, oldest, writing); error != 0) {
    RawLine(2).Text("mallocspy: no dump could be made: error ").Number(static_cast<uint64_t>(error)).End();
  }
}

// False if now is no time for it.
bool TryDump(void* context_pointer) {
  if (InterruptedEvent() || ReadingTurn::IsHere() || CurrentPhase() != Phase::kRunning || !IsRecordedProcess() || IsWriting()) return false;
  if (dumping.exchange(true, std::memory_order_acquire)) return false;
  const ucontext_t* context = static_cast<const ucontext_t*>(context_pointer);
  constexpr uintptr_t kRedZone = 128;
  ProgramPoint point = {static_cast<uint32_t>(RawSyscall(SYS_gettid)), static_cast<uintptr_t>(context->uc_mcontext.gregs[REG_RSP]) - kRedZone,
                        reinterpret_cast<uintptr_t>(context), sizeof(*context)};
  CallOnStack(dump_stack + kStackBytes, Dump, &point);
  AwaitGrowth();
  dumping.store(false, std::memory_order_release);
  return true;
}

// Of the signal of choice.
void OnDumpSignal(int, siginfo_t*, void*) {
  const ErrnoKeeper keeper;
  SetTimer(kSoonNs);
}

bool MakeTimer(int signal) {
  struct sigevent event = {};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = signal;
  event.sigev_value.sival_int = kTimerCookie;
  timer_pid = static_cast<uint32_t>(RawSyscall(SYS_getpid));
  return signal != 0 && !RawFailed(RawSyscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer));
}

}  // namespace

void WatchAutomaticDumps() {
  const Options& options = ProcessOptions();
  if (IsSecureExecution()) return;
  if (options.dump_at_bytes == 0 && options.dump_every == 0 && options.dump_on_growth == 0 && options.dump_signal == 0) return;
  writing = static_cast<uint32_t*>(MapShared(sizeof(uint32_t)));
  dump_stack = static_cast<char*>(MapPrivate(kStackBytes));
  if (writing == nullptr || dump_stack == nullptr || !MakeTimer(RequestSignal())) {
    RawLine(2).Text("mallocspy: no dumps will be written by themselves: there is no timer or memory for them").End();
    return;
  }
  if (options.dump_every != 0) next_every_us.store(static_cast<int64_t>(MonotonicUs() + options.dump_every * 1000000), std::memory_order_relaxed);
  AwaitInterval();
  AwaitGrowth();
  if (options.dump_at_bytes != 0 || options.dump_on_growth != 0) ledger::SetLiveWatch(WatchLiveBytes);
  if (options.dump_signal != 0) {
    SetKernelAction(static_cast<int>(options.dump_signal), HandledBy(OnDumpSignal, SA_RESTART | SA_ONSTACK, ~uint64_t{0}), nullptr);
  }
}

void MoveDumpTimer() {
  if (writing == nullptr) return;
  RawSyscall(SYS_timer_delete, timer);
  timer = -1;
  if (MakeTimer(RequestSignal())) AwaitInterval();
}

bool MeetDumpTimer(const siginfo_t& info, void* context) {
  if (info.si_code != SI_TIMER || info.si_int != kTimerCookie || writing == nullptr) return false;
  if (!TryDump(context)) {
    SetTimer(kAgainNs);
    return true;
  }
  if (const int64_t next = next_every_us.load(std::memory_order_relaxed); next != kNever) {
    const int64_t interval = static_cast<int64_t>(ProcessOptions().dump_every) * 1000000;
    const int64_t now = static_cast<int64_t>(MonotonicUs());
    if (next <= now) next_every_us.store(now - (now - next) % interval + interval, std::memory_order_relaxed);
    AwaitInterval();
  }
  return true;
}

}  // namespace mallocspy

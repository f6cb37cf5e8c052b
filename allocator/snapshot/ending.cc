#include "allocator/snapshot/ending.h"

#include <time.h>

#include <atomic>
#include <cstring>

#include "allocator/heap_sweep.h"
#include "allocator/ledger/ledger.h"
#include "allocator/ledger/thread_counters.h"
#include "allocator/process.h"
#include "allocator/quarantine.h"
#include "allocator/reading_turn.h"
#include "allocator/reference_table.h"
#include "allocator/snapshot/block_list.h"
#include "allocator/snapshot/picture.h"
#include "allocator/snapshot/reporter.h"
#include "allocator/snapshot/snapshot_file.h"
#include "allocator/system/clock.h"
#include "allocator/system/errno_keeper.h"
#include "allocator/system/raw_syscall.h"
#include "allocator/thread_state.h"

namespace mallocspy {
namespace {

using ledger::g_ledger;

// Long enough for any event; a thread that takes longer is stopped in the middle of one, by a debugger for instance.
constexpr uint32_t kFreezeLimitMs = 1000;
constexpr uint32_t kOtherEnderLimitMs = 60000;

constinit std::atomic<uint32_t> ender_pid{0};  // process (fork copies it) whose record is ending or ended
constinit std::atomic<uint32_t> ender_tid{0};
constinit std::atomic<uint32_t> ended_pid{0};

void WaitForOtherEnder(uint32_t pid) {
  for (uint32_t waited_ms = 0; ended_pid.load(std::memory_order_acquire) != pid && waited_ms < kOtherEnderLimitMs;
       ++waited_ms) {
    const timespec pause = {0, 1000000};
    RawSyscall(SYS_nanosleep, &pause, nullptr);
  }
}

void Complete(ledger::End how, int value) {
  ledger::Header& header = g_ledger.header();
  const bool interrupted = InterruptedEvent();
  const bool running = FreezeEvents(kFreezeLimitMs) != 0;
  if (running) g_ledger.SetDegraded(ledger::kThreadsRunning);
  // Whoever holds the lock now will not let go of it: a thread that was stopped inside it, or this one, if the deadly
  // signal hit it there.
  g_ledger.lock().Reset();
  header.state.store(ledger::State::kEnding, std::memory_order_release);
  header.end.store(how, std::memory_order_relaxed);
  header.end_value.store(value, std::memory_order_relaxed);
  header.ended_ns = RealtimeNs();
  ledger::CollectLiveBytes();
  // What was left in the middle of an event, between a block's live bit and its counter, will not be finished.
  if (interrupted || running) SettleCounters();
  RefreshThreadNames();
  g_quarantine.lock().Reset();  // as the ledger's
  CheckAllBlocks();
  g_references.lock().Reset();
  g_references.ReportAll();
}

}  // namespace

void EndRecord(ledger::End how, int value, const ProgramPoint* self) {
  const ErrnoKeeper keeper;
  const ProgramPoint here = {static_cast<uint32_t>(RawSyscall(SYS_gettid)), reinterpret_cast<uintptr_t>(__builtin_frame_address(0)), 0, 0};
  EnsureStarted();  // a forked child that never allocated ends like any other
  const uint32_t pid = g_ledger.header().pid;
  if (!IsRecordedProcess()) return;
  uint32_t other = ender_pid.load(std::memory_order_relaxed);
  if (other == pid || !ender_pid.compare_exchange_strong(other, pid, std::memory_order_acq_rel)) {
    // A thread that meets a deadly signal while it ends the record must not wait for itself.
    if (ender_tid.load(std::memory_order_acquire) != RawSyscall(SYS_gettid)) WaitForOtherEnder(pid);
    return;
  }
  ender_tid.store(static_cast<uint32_t>(RawSyscall(SYS_gettid)), std::memory_order_release);
  const ReadingTurn turn;
  const bool wanted = IsReported();
  if (wanted) {
    Complete(how, value);
    bool by_exit = how == ledger::End::kExit;
    const auto list = [](void* exits) {
      if (*static_cast<bool*>(exits)) NoteLibraryCaches(-1);
      return ListBlocksInLedger(), true;
    };
    if (g_ledger.memory().named()) {
      if (!WorkInPicture(self != nullptr ? *self : here, {Afterwards::kEnds, list, &by_exit})) ListBlocksInLedger();
      g_ledger.header().state.store(ledger::State::kEnded, std::memory_order_release);
    } else {
      SaveAndReport(self != nullptr ? *self : here, by_exit);
    }
  }
  SetPhase(Phase::kOver);
  ended_pid.store(pid, std::memory_order_release);
}

void NoteExec(const char* path) {
  const ErrnoKeeper keeper;
  if (CurrentPhase() == Phase::kRunning && IsRecordedProcess()) {
    ledger::Header& header = g_ledger.header();
    if (path == nullptr) {
      header.end.store(ledger::End::kNone, std::memory_order_relaxed);
    } else {
      const Event event;  // keeps a signal handler's allocation from waiting for the lock that it would interrupt
      FutexLockHolder hold(g_ledger.lock());
      header.exec_path = g_ledger.AddString(path, std::strlen(path));
      header.end.store(ledger::End::kExec, std::memory_order_relaxed);
      header.ended_ns = RealtimeNs();
    }
  }
}

}  // namespace mallocspy

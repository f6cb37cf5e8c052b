#include "allocator/snapshot/picture.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include <atomic>
#include <cerrno>
#include <csignal>

#include "allocator/ledger/ledger.h"
#include "allocator/process.h"
#include "allocator/snapshot/library_caches.h"
#include "allocator/snapshot/memory_map.h"
#include "allocator/snapshot/reachability.h"
#include "allocator/snapshot/stopped_threads.h"
#include "allocator/system/clock.h"
#include "allocator/system/os_memory.h"
#include "allocator/system/raw_syscall.h"
#include "allocator/thread_state.h"

namespace mallocspy {
namespace {

using ledger::g_ledger;
using ledger::RootKind;
using ledger::TableId;

// A thread answers within microseconds unless it blocks all signals or hangs in the kernel.
constexpr uint32_t kStopLimitMs = 500;

constinit Pause last_pause = {};

// In the copy only.
constinit Reachability* marked = nullptr;
constinit const Picture* the_picture = nullptr;
constinit const uint32_t* root_records = nullptr;  // by Reachability's number of a root

uint32_t AddRoot(uint64_t address, RootKind kind, uint32_t tid) {
  const uint32_t index = g_ledger.Reserve(TableId::kRoots);
  if (index == 0) return 0;
  *g_ledger.At<ledger::Root>(TableId::kRoots, index) = {address, tid, kind};
  g_ledger.Publish(TableId::kRoots, index + 1);
  return index;
}

// The roots that lead to live blocks, in the ledger; false without memory for them.
bool RecordRoots(const Reachability& blocks) {
  uint32_t* records = static_cast<uint32_t*>(MapPrivate((blocks.root_count() + 1) * sizeof(uint32_t)));
  if (records == nullptr) return false;
  for (uint32_t i = 0; i < blocks.root_count(); ++i) {
    const Reachability::Root& root = blocks.root(i);
    records[i] = AddRoot(root.address, root.kind, root.tid);
  }
  root_records = records;
  return true;
}

// What the copy says of itself: in memory that it shares with the process.
struct Outcome {
  std::atomic<uint32_t> done;
  std::atomic<uint32_t> goes_alone;  // its process ID
};

// In the copy: marks everything, then works. Nothing of libc's that might wait for a lock: whoever held it is not in the copy.
bool WorkInCopy(const StoppedThreads& threads, const ProgramPoint& self, const PictureTask& task) {
  MemoryMap map;
  Reachability blocks(map);
  if (task.graph) blocks.KeepRootWords();
  if (!map.Read() || !blocks.Prepare() || !MarkFromRoots(map, threads, self, &blocks)) return false;
  if (!blocks.Finish() || !RecordRoots(blocks)) return false;
  for (size_t i = 0; i < threads.size(); ++i) {
    if (!threads[i].answered) AddRoot(0, RootKind::kUnanswered, threads[i].tid);
  }
  const bool all = threads.unanswered() == 0 && !blocks.lost_root_words();
  g_ledger.header().reachability = all ? ledger::Marking::kComplete : ledger::Marking::kPartial;
  const Picture picture = {&blocks, &map};
  the_picture = &picture;
  marked = &blocks;
  const bool good = task.work(task.context);
  marked = nullptr;
  the_picture = nullptr;
  return good;
}

[[noreturn]] void EndCopy(Outcome* outcome, bool good) {
  outcome->done.store(1, std::memory_order_release);
  RawSyscall(SYS_futex, &outcome->done, FUTEX_WAKE, 1);
  for (;;) RawSyscall(SYS_exit_group, good ? 0 : 1);
}

struct Copy {
  const StoppedThreads* threads;
  const ProgramPoint* self;
  const PictureTask* task;
  Outcome* outcome;
};

int Work(void* context) {
  const Copy& copy = *static_cast<Copy*>(context);
  const bool own = copy.task->afterwards == Afterwards::kEnds || g_ledger.Detach();
  EndCopy(copy.outcome, own && WorkInCopy(*copy.threads, *copy.self, *copy.task));
}

// Goes on as a child of this copy, which ends at once: then it is nobody's but init's. It needs no memory of its own, but a stack.
[[noreturn]] void Leave(Copy* copy) {
  constexpr size_t kStackBytes = 256 * 1024;
  char* stack = static_cast<char*>(MapPrivate(kStackBytes));
  const int child = stack != nullptr ? clone(Work, stack + kStackBytes, CLONE_VM, copy) : -1;
  if (child > 0) copy->outcome->goes_alone.store(static_cast<uint32_t>(child), std::memory_order_release);
  for (;;) RawSyscall(SYS_exit_group, child > 0 ? 0 : 1);
}

// CPU time of another process, ns; how its clock is numbered: include/linux/posix-timers_types.h.
uint64_t CpuTimeNs(long pid) {
  timespec used = {};
  RawSyscall(SYS_clock_gettime, static_cast<clockid_t>(~pid << 3 | 2), &used);
  return static_cast<uint64_t>(used.tv_sec) * 1000000000 + static_cast<uint64_t>(used.tv_nsec);
}

// Whether the copy left somebody who goes on.
bool AwaitLeave(long copy) {
  int status = -1;
  long waited;
  do {
    waited = RawSyscall(SYS_wait4, copy, &status, __WALL, nullptr);
  } while (waited == -EINTR);
  return waited == copy && status == 0;
}

// Whether the copy ended well. One that does nothing any more is killed.
bool AwaitCopy(long copy, Outcome* outcome) {
  constexpr int kLooks = 100;  // without any progress between
  const timespec pause = {0, 100000000};
  uint64_t used_ns = 0;
  for (int idle = 0;;) {
    if (idle < kLooks && outcome->done.load(std::memory_order_acquire) == 0) {
      RawSyscall(SYS_futex, &outcome->done, FUTEX_WAIT, 0, &pause);
    }
    if (idle >= kLooks) RawSyscall(SYS_kill, copy, SIGKILL);
    const bool ends = idle >= kLooks || outcome->done.load(std::memory_order_acquire) != 0;
    int status = -1;
    const long waited = RawSyscall(SYS_wait4, copy, &status, ends ? __WALL : __WALL | WNOHANG, nullptr);
    if (waited == copy) return status == 0;
    if (RawFailed(waited) && waited != -EINTR) return false;
    const uint64_t now_ns = CpuTimeNs(copy);
    idle = now_ns > used_ns ? 0 : idle + 1;
    used_ns = now_ns;
  }
}

}  // namespace

bool InPicture() { return marked != nullptr; }

BlockReach ReachOf(uintptr_t address) {
  uint64_t offset;
  const uint32_t block = marked != nullptr ? marked->Find(address, &offset) : Reachability::kNoBlock;
  if (block == Reachability::kNoBlock || offset != 0) return {};
  const ledger::Reach reach = marked->ClassOf(block);
  const bool has_root = reach == ledger::Reach::kReachable || reach == ledger::Reach::kPossible;
  return {reach, has_root ? root_records[marked->HolderOf(block)] : 0, marked->IsCache(block)};
}

void NoteLibraryCaches(int kept_fd) {
  const auto note = [](void* address, void* context) {
    Reachability* blocks = static_cast<Reachability*>(context);
    uint64_t offset;
    const uint32_t block = blocks->Find(reinterpret_cast<uintptr_t>(address), &offset);
    if (block != Reachability::kNoBlock && offset == 0) blocks->NoteCache(block);
  };
  FindLibraryCaches(kept_fd, note, marked);
}

Pause LastPause() { return last_pause; }

const Picture* ThePicture() { return the_picture; }

bool WorkInPicture(const ProgramPoint& self, const PictureTask& task) {
  constexpr uint64_t kAllSignals = ~uint64_t{0};
  uint64_t mask;
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &kAllSignals, &mask, sizeof(mask));
  const uint64_t stopped_us = MonotonicUs();
  Outcome* outcome = static_cast<Outcome*>(MapShared(sizeof(Outcome)));
  long copy = -EAGAIN;
  if (outcome != nullptr) {
    StoppedThreads threads;
    if (threads.Stop(static_cast<int>(ProcessOptions().stop_signal), kStopLimitMs)) {
      last_pause.unanswered = static_cast<uint32_t>(threads.unanswered());
      if (task.held != nullptr) task.held(task.context);
      copy = RawSyscall(SYS_clone, 0, 0, 0, 0, 0);  // no signal at its end, and wait() does not see it
      if (copy == 0) {
        Copy whole = {&threads, &self, &task, outcome};
        if (task.afterwards == Afterwards::kGoesAlone) Leave(&whole);
        Work(&whole);
      }
    }
  }
  if (task.afterwards != Afterwards::kEnds) SetPhase(Phase::kRunning);
  last_pause.released_us = MonotonicUs();
  last_pause.us = static_cast<uint32_t>(last_pause.released_us - stopped_us);
  bool done = !RawFailed(copy);
  if (done) done = task.afterwards == Afterwards::kGoesAlone ? AwaitLeave(copy) : AwaitCopy(copy, outcome);
  last_pause.copy = outcome != nullptr ? outcome->goes_alone.load(std::memory_order_acquire) : 0;
  if (outcome != nullptr) Unmap(outcome, sizeof(Outcome));
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof(mask));
  return done;
}

}  // namespace mallocspy

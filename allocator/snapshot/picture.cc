#include "allocator/snapshot/picture.h"

#include <sched.h>
#include <sys/wait.h>

#include <cerrno>

#include "allocator/ledger/ledger.h"
#include "allocator/process.h"
#include "allocator/snapshot/memory_map.h"
#include "allocator/snapshot/reachability.h"
#include "allocator/snapshot/stopped_threads.h"
#include "allocator/system/os_memory.h"
#include "allocator/system/raw_syscall.h"

namespace mallocspy {
namespace {

using ledger::g_ledger;
using ledger::RootKind;
using ledger::TableId;

// A thread answers within microseconds unless it blocks all signals or hangs in the kernel.
constexpr uint32_t kStopLimitMs = 500;

// In the copy only.
constinit const Reachability* marked = nullptr;
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

// In the copy: marks everything.
bool Mark(const StoppedThreads& threads, const ProgramPoint& self, uintptr_t static_tls_bytes) {
  static constinit MemoryMap map;
  static constinit Reachability blocks(map);
  if (!map.Read() || !blocks.Prepare() || !MarkFromRoots(map, threads, self, static_tls_bytes, &blocks)) return false;
  if (!blocks.Finish() || !RecordRoots(blocks)) return false;
  for (size_t i = 0; i < threads.size(); ++i) {
    if (!threads[i].answered) AddRoot(0, RootKind::kUnanswered, threads[i].tid);
  }
  marked = &blocks;
  g_ledger.header().reachability = threads.unanswered() == 0 ? ledger::Marking::kComplete : ledger::Marking::kPartial;
  return true;
}

}  // namespace

BlockReach ReachOf(uintptr_t address) {
  uint64_t offset;
  const uint32_t block = marked != nullptr ? marked->Find(address, &offset) : Reachability::kNoBlock;
  if (block == Reachability::kNoBlock || offset != 0) return {};
  const ledger::Reach reach = marked->ClassOf(block);
  const bool has_root = reach == ledger::Reach::kReachable || reach == ledger::Reach::kPossible;
  return {reach, has_root ? root_records[marked->HolderOf(block)] : 0};
}

bool WorkInPicture(const ProgramPoint& self, bool (*work)(void* context), void* context) {
  const uintptr_t static_tls_bytes = StaticTlsBytes();
  constexpr uint64_t kAllSignals = ~uint64_t{0};
  uint64_t mask;
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &kAllSignals, &mask, sizeof(mask));
  long copy = -EAGAIN;
  {
    StoppedThreads threads;
    if (threads.Stop(static_cast<int>(ProcessOptions().stop_signal), kStopLimitMs)) {
      copy = RawSyscall(SYS_clone, 0, 0, 0, 0, 0);  // no signal at its end, and wait() does not see it
      if (copy == 0) {
        const bool good = Mark(threads, self, static_tls_bytes) && work(context);
        for (;;) RawSyscall(SYS_exit_group, good ? 0 : 1);
      }
    }
  }
  bool done = false;
  if (!RawFailed(copy)) {
    int status = -1;
    long waited = -EINTR;
    while (waited == -EINTR) waited = RawSyscall(SYS_wait4, copy, &status, __WALL, nullptr);
    done = waited == copy && status == 0;
  }
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof(mask));
  return done;
}

}  // namespace mallocspy

// What the recorder keeps for each thread, and the gate through which every recorded event passes.
//
// A thread that has not allocated costs nothing. The state comes from a pool in the recorder's own memory and goes back to
// it when the thread ends, so threads that come and go reuse a few. What a thread does after its thread-specific
// destructors ran goes through one shared state under a lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "allocator/ledger/thread_counters.h"
#include "allocator/system/block_cache.h"
#include "spy/door_frame.h"
#include "spy/heap.h"

namespace mallocspy {

class KnownStack;
class RecentStacks;
struct StackBounds;

// The life of this process's record. It lies in a page that the kernel wipes in a forked child, so that the child finds
// kNotStarted without asking anybody, and a vfork child, which shares the page, does not.
enum class Phase : uint32_t {
  kNotStarted = 0,
  kRunning = 1,
  kFrozen = 2,  // the record is being read: events wait
  kOver = 3,    // the record is closed: calls pass through, unrecorded
};

// A stack that was captured ahead of the call that records it. With spies, the capture comes before the spy lock is taken,
// since it may wait for the loader's locks, and whoever holds those may wait for the spies.
struct PreparedStack {
  enum Kind : uint8_t { kNone, kWhole, kCallerOnly } kind;
  bool truncated;
  uint16_t depth;
  uint32_t node;       // kWhole: where it ends
  const void* caller;  // kCallerOnly: all that may be recorded, a spy's own call under the lock
};

struct ThreadState {
  std::atomic<uintptr_t> busy;  // stack pointer at the entry of the current event, 0 outside one
  uint32_t tid;
  uint32_t ledger_thread;  // index of ledger::Thread, 0 if the ledger was full
  uintptr_t stack_low;     // the thread's own stack; both 0 when not known
  uintptr_t stack_high;
  uintptr_t control_block;
  uint8_t owner;           // this state's number, 0 for all but the first 31; blocks carry it
  uint32_t ignoring;       // scopes in which the blocks that it makes are ignored
  uint64_t origin;         // owner and ignoring, as headers say them: OriginOf()
  uint32_t rounds_to_live;  // passes of thread-specific destructors still to be seen
  PreparedStack prepared;
  // Allocations that the fast path may still make before it leaves one to the slow path; below 0: none, ever.
  int64_t quick_left;
  int64_t guard_left;      // where all take the slow path: those before one is chosen by page_guard
  uint64_t random;         // of page_guard's choices, 0 before the first
  uint64_t guard_next;     // CPU ticks before which page_guard chooses no block by chance
  bool announced;          // `ledger_thread` tells of the thread that has this state now
  bool capturing;          // inside the capture: what libunwind and the loader allocate for it is nobody's loss
  uint64_t captures;       // counted with check_capture only
  ledger::ThreadCounters counters;
  BlockCache blocks;
  const DoorFrame* frame;  // the call of the current event; null: where it is met
  KnownStack* known;       // where this thread was when it last allocated
  RecentStacks* recent;
  ThreadState* next;       // of all, in the order of their making; never unlinked
  ThreadState* next_free;
  uint64_t* frames;        // stack_depth of them: a stack on its way to the ledger, innermost first
};

// This thread's state, or one of the values below it.
extern constinit thread_local uintptr_t this_thread __attribute__((tls_model("initial-exec")));
constexpr uintptr_t kNoThread = 0;
constexpr uintptr_t kAttaching = 1;  // being given a state: calls from there pass through
constexpr uintptr_t kEnded = 2;      // its destructors ran: events use the shared state
constexpr uintptr_t kEndedBusy = 3;  // ... and one is inside it
constexpr uintptr_t kLastMark = kEndedBusy;

// The phase in a page of its own: remapped at the start so that the kernel can wipe it on fork.
struct alignas(4096) ForkPage {
  std::atomic<uint32_t> phase;
};
extern ForkPage fork_page;

// One pass through the gate. While it lasts, this thread's further calls (from a signal handler, from the unwinder) do not record, and a
// reader of the record waits for its end. Never held across a spy's method.
class Event {
 public:
  Event() {
    const uintptr_t sp = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
    thread_ = Enter(sp);
    if (__builtin_expect(thread_ == nullptr, 0)) EnterSlowly(sp);
  }
  ~Event() {
    if (thread_ == nullptr) return;
    Leave(thread_);
    if (__builtin_expect(late_, 0)) LeaveLate();
  }
  // Both ends of an event that is nothing out of the ordinary; Enter() returns null if it would be, with nothing done.
  static ThreadState* Enter(uintptr_t sp) {
    const uintptr_t value = this_thread;
    if (__builtin_expect(value <= kLastMark, 0)) return nullptr;
    ThreadState* state = reinterpret_cast<ThreadState*>(value);
    if (__builtin_expect(state->busy.load(std::memory_order_relaxed) != 0, 0)) return nullptr;
    state->busy.store(sp, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);  // the freezer's membarrier makes it a full one
    if (__builtin_expect(fork_page.phase.load(std::memory_order_relaxed) == static_cast<uint32_t>(Phase::kRunning), 1)) return state;
    state->busy.store(0, std::memory_order_release);
    return nullptr;
  }
  static void Leave(ThreadState* thread) {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    thread->busy.store(0, std::memory_order_release);
  }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // Null if this call must not be recorded: it came from inside another event, or the record is over.
  ThreadState* thread() const { return thread_; }
  bool recording() const { return thread_ != nullptr; }
  bool over() const { return over_; }

 private:
  void EnterSlowly(uintptr_t sp);
  void LeaveLate();

  ThreadState* thread_;
  bool late_ = false;
  bool over_ = false;
};

// Makes room for the phase and for thread states. Once, before the first event can enter.
void StartThreads(uint32_t stack_depth);
Phase CurrentPhase();
void SetPhase(Phase phase);  // wakes the events that wait

// After pthreads can be used: thread ends are noticed from now on.
void WatchThreadEnds();

// In a forked child: the other threads' states are free again. `recorded`: the ledger is this process's own, and this thread's
// name is entered.
void AdoptThreadsAfterFork(bool recorded);

// How many scopes the thread is in, in which the blocks that it makes are ignored. By that thread, inside its event.
void SetIgnoring(ThreadState* thread, uint32_t scopes);

// Holds all events of other threads until SetPhase(): returns when none is inside the gate, or after `limit_ms` with the
// number of those that still were.
uint32_t FreezeEvents(uint32_t limit_ms);

// What a thread that waits for the end of a freeze does before each wait, and a call that makes all of them do it. For one who must hear of
// threads that no signal reaches: they may wait in a handler, or in libc, with all signals blocked.
void SetGateAnswer(void (*answer)());
void WakeGate();

// Whether the calling thread is inside an event of its own: in a signal handler that interrupted it.
bool InterruptedEvent();

// Where the stack of thread `tid` lies; zeros if it has no state, or it is not known.
StackBounds StackBoundsOf(uint32_t tid);

// Calls visit() for the last known stack of each thread that has ended, or is just about to. While nothing else runs.
void ForEachEndedStack(void (*visit)(const StackBounds& stack, uintptr_t control_block, void* context), void* context);

// Brings the ledger's names of living threads up to date.
void RefreshThreadNames();

// Whether this thread is inside libc or the unwinder on the recorder's behalf: what they allocate there is nobody's loss.
bool InOwnCall();

// This thread's state, without attaching it; null if it has none.
ThreadState* ThisThread();

}  // namespace mallocspy

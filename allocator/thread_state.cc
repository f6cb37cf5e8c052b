#include "allocator/thread_state.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include <cstring>

#include "allocator/block_header.h"
#include "allocator/capture/known_stack.h"
#include "allocator/capture/recent_stacks.h"
#include "allocator/ledger/ledger.h"
#include "allocator/process.h"
#include "allocator/system/clock.h"
#include "allocator/system/decimal.h"
#include "allocator/system/initial_stack.h"
#include "allocator/system/os_memory.h"
#include "allocator/system/raw_syscall.h"

namespace mallocspy {

constinit thread_local uintptr_t this_thread __attribute__((tls_model("initial-exec"))) = kNoThread;
constinit ForkPage fork_page = {};

namespace {

using ledger::TableId;

constinit FutexLock pool_lock;
constinit std::atomic<ThreadState*> all_states{nullptr};
constinit ThreadState* free_states = nullptr;  // under pool_lock
constinit uint32_t states_made = 0;            // up to kMostOwners, under pool_lock
constexpr uint32_t kMostOwners = 31;
constinit uint32_t frame_capacity = 0;
constinit bool ends_watched = false;
constinit pthread_key_t end_key = 0;

constinit FutexLock late_lock;
constinit ThreadState* late_state = nullptr;  // used under late_lock

constinit std::atomic<void (*)()> gate_answer{nullptr};
constinit std::atomic<uint32_t> freezer_tid{0};  // who froze the events, while they are

// What the kernel keeps free below the main thread's stack at the least, however high its limit: nothing else is mapped there.
constexpr uintptr_t kReservedStackBytes = uintptr_t{128} << 20;

// One inside an event may wait for a lock of the loader, and who has that may wait at the gate: so it is opened now and then.
constexpr uint32_t kThawEveryUs = 10000;

constexpr uint32_t kDestructorRounds = 3;  // one less than the passes that POSIX guarantees

ThreadState* StateOf(uintptr_t value) {
  return value > kLastMark ? reinterpret_cast<ThreadState*>(value) : nullptr;
}

ThreadState* NewState() {
  FutexLockHolder hold(pool_lock);
  if (ThreadState* state = free_states; state != nullptr) {
    free_states = state->next_free;
    return state;
  }
  // Lazily reserved: a thread with shallow stacks touches few of these pages.
  const size_t recent_at = RoundUp(sizeof(ThreadState), alignof(RecentStacks));
  const size_t known_at = RoundUp(recent_at + sizeof(RecentStacks), alignof(KnownStack));
  const size_t frames_at = RoundUp(known_at + KnownStack::BytesFor(frame_capacity), alignof(uint64_t));
  char* memory = static_cast<char*>(MapPrivate(frames_at + frame_capacity * sizeof(uint64_t)));
  if (memory == nullptr) return nullptr;
  ThreadState* state = reinterpret_cast<ThreadState*>(memory);
  state->recent = reinterpret_cast<RecentStacks*>(memory + recent_at);
  state->known = reinterpret_cast<KnownStack*>(memory + known_at);
  state->known->SetLimit(frame_capacity);
  state->frames = reinterpret_cast<uint64_t*>(memory + frames_at);
  state->owner = states_made < kMostOwners ? static_cast<uint8_t>(++states_made) : 0;
  state->quick_left = g_settings.watches_allocations ? -1 : g_settings.samples_allocations ? 0 : INT64_MAX;
  SetIgnoring(state, 0);
  state->next = all_states.load(std::memory_order_relaxed);
  all_states.store(state, std::memory_order_release);
  return state;
}

void FreeState(ThreadState* state) {
  FutexLockHolder hold(pool_lock);
  state->next_free = free_states;
  free_states = state;
}

void FindStackBounds(ThreadState* state) {
  state->stack_low = 0;
  state->stack_high = 0;
  state->control_block = reinterpret_cast<uintptr_t>(__builtin_thread_pointer());
  const long tid = RawSyscall(SYS_gettid);
  if (tid == RawSyscall(SYS_getpid)) {
    // The main thread's stack grows down to its limit; asking pthreads would parse /proc/self/maps.
    rlimit limit = {};
    RawSyscall(SYS_prlimit64, 0, RLIMIT_STACK, nullptr, &limit);
    const uintptr_t high = RoundUp(InitialStackEnd(), kPageBytes);
    const uintptr_t room = limit.rlim_cur < kReservedStackBytes ? limit.rlim_cur : kReservedStackBytes;
    state->stack_low = room < high ? high - room : 0;
    state->stack_high = high;
    return;
  }
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
  void* low;
  size_t bytes;
  if (pthread_attr_getstack(&attributes, &low, &bytes) == 0) {
    state->stack_low = reinterpret_cast<uintptr_t>(low);
    state->stack_high = state->stack_low + bytes;
  }
  pthread_attr_destroy(&attributes);
}

// Inside this thread's event, or alone.
void RecordThread(ThreadState* state) {
  FutexLockHolder hold(ledger::g_ledger.lock());
  state->announced = true;
  if (state->ledger_thread == 0) {
    state->ledger_thread = ledger::g_ledger.Reserve(TableId::kThreads);
    if (state->ledger_thread == 0) return;
    ledger::g_ledger.Publish(TableId::kThreads, state->ledger_thread + 1);
  }
  ledger::Thread* record = ledger::g_ledger.At<ledger::Thread>(TableId::kThreads, state->ledger_thread);
  state->counters.Attach(record);
  record->tid = state->tid;
  record->state = 1;
  record->started_ns = RealtimeNs();
  RawSyscall(SYS_prctl, PR_GET_NAME, record->name, 0, 0, 0);
}

// Gives this thread a state; null (and events pass through) when there is no memory. The ledger is left alone: somebody may be
// reading it.
ThreadState* Attach() {
  this_thread = kAttaching;
  ThreadState* state = NewState();
  if (state == nullptr) {
    this_thread = kNoThread;
    return nullptr;
  }
  state->busy.store(0, std::memory_order_relaxed);
  state->tid = static_cast<uint32_t>(RawSyscall(SYS_gettid));
  state->rounds_to_live = kDestructorRounds;
  state->announced = false;
  SetIgnoring(state, 0);
  const uintptr_t low = state->stack_low;
  const uintptr_t high = state->stack_high;
  FindStackBounds(state);
  if (state->stack_low != low || state->stack_high != high) {  // what an earlier thread left tells of another stack
    state->known->Forget();
    if (high != 0) state->recent->Forget();  // else nothing is in there
  }
  if (ends_watched) {
    pthread_setspecific(end_key, state);
    state->blocks.Open();
  }
  this_thread = reinterpret_cast<uintptr_t>(state);
  return state;
}

// Thread-specific destructor. Other destructors may allocate after it, so it asks for another pass as often as it may.
void OnThreadEnd(void* value) {
  ThreadState* state = static_cast<ThreadState*>(value);
  if (state->rounds_to_live > 0) {
    --state->rounds_to_live;
    pthread_setspecific(end_key, state);
    return;
  }
  {
    const Event event;
    if (event.recording() && state->ledger_thread != 0) {
      ledger::Thread* record = ledger::g_ledger.At<ledger::Thread>(TableId::kThreads, state->ledger_thread);
      RawSyscall(SYS_prctl, PR_GET_NAME, record->name, 0, 0, 0);
      record->state = 2;
      state->counters.Detach();
    }
  }
  state->blocks.Close();
  this_thread = kEnded;
  FreeState(state);
}

// Whether the event that `state` seems to be in was left by a longjmp: then the stack has been popped past its entry.
bool IsStale(const ThreadState* state, uintptr_t sp) {
  const uintptr_t entry = state->busy.load(std::memory_order_relaxed);
  return sp > entry && entry >= state->stack_low && sp < state->stack_high;
}

// Puts back what a longjmp out of an event left behind.
void Abandon(ThreadState* state) {
  state->capturing = false;
  state->known->Forget();
  state->prepared = {};
  ledger::g_ledger.lock().UnlockIfMine();
  pool_lock.UnlockIfMine();
}

}  // namespace

void Event::EnterSlowly(uintptr_t sp) {
  for (;;) {
    if (this_thread == kAttaching || this_thread == kEndedBusy) return;
    if (CurrentPhase() == Phase::kNotStarted && !EnsureStarted()) return;
    ThreadState* state = StateOf(this_thread);
    if (this_thread == kEnded) {
      this_thread = kEndedBusy;  // before the lock: a signal handler must not wait for what it interrupted
      late_lock.Lock();
      late_ = true;
      state = late_state;
    } else if (state == nullptr) {
      if (CurrentPhase() == Phase::kOver) {
        over_ = true;
        return;
      }
      state = Attach();
      if (state == nullptr) return;
    } else if (state->busy.load(std::memory_order_relaxed) != 0) {
      if (!IsStale(state, sp)) return;
      Abandon(state);
    }
    state->busy.store(sp, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    const Phase phase = CurrentPhase();
    if (phase == Phase::kRunning) {
      if (!state->announced) RecordThread(state);
      thread_ = state;
      return;
    }
    state->busy.store(0, std::memory_order_release);
    if (late_) {
      late_ = false;
      late_lock.Unlock();
      this_thread = kEnded;
    }
    if (phase == Phase::kOver) {
      over_ = true;
      return;
    }
    if (phase == Phase::kFrozen) {
      // A signal handler on the thread that reads the record would wait for itself.
      if (freezer_tid.load(std::memory_order_relaxed) == RawSyscall(SYS_gettid)) return;
      if (const auto answer = gate_answer.load(std::memory_order_acquire); answer != nullptr) answer();
      RawSyscall(SYS_futex, &fork_page.phase, FUTEX_WAIT_PRIVATE, static_cast<uint32_t>(Phase::kFrozen), 0);
    }
  }
}

void Event::LeaveLate() {
  late_lock.Unlock();
  this_thread = kEnded;
}

void StartThreads(uint32_t stack_depth) {
  frame_capacity = stack_depth;
  RawSyscall(SYS_mmap, &fork_page, sizeof(fork_page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
             0);
  RawSyscall(SYS_madvise, &fork_page, sizeof(fork_page), MADV_WIPEONFORK);
  RawSyscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
  late_state = NewState();
  if (late_state == nullptr) return;
  late_state->announced = true;  // it is no thread
  late_state->owner = 0;         // nor is it one thread's
  SetIgnoring(late_state, 0);
}

Phase CurrentPhase() { return static_cast<Phase>(fork_page.phase.load(std::memory_order_acquire)); }

void SetPhase(Phase phase) {
  fork_page.phase.store(static_cast<uint32_t>(phase), std::memory_order_release);
  WakeGate();
}

void SetGateAnswer(void (*answer)()) { gate_answer.store(answer, std::memory_order_release); }
void WakeGate() { RawSyscall(SYS_futex, &fork_page.phase, FUTEX_WAKE_PRIVATE, INT32_MAX); }

void WatchThreadEnds() {
  if (pthread_key_create(&end_key, OnThreadEnd) != 0) return;
  ends_watched = true;
  if (ThreadState* state = ThisThread(); state != nullptr) {
    pthread_setspecific(end_key, state);
    state->blocks.Open();
  }
}

void AdoptThreadsAfterFork(bool recorded) {
  pool_lock.Reset();
  late_lock.Reset();
  ThreadState* self = ThisThread();
  free_states = nullptr;
  for (ThreadState* state = all_states.load(std::memory_order_relaxed); state != nullptr; state = state->next) {
    state->ledger_thread = 0;
    state->counters.AdoptAfterFork();
    state->recent->Forget();
    state->busy.store(0, std::memory_order_relaxed);
    if (state == self || state == late_state) continue;
    state->next_free = free_states;
    free_states = state;
  }
  if (self == nullptr || !recorded) return;
  self->tid = static_cast<uint32_t>(RawSyscall(SYS_gettid));
  RecordThread(self);
}

void SetIgnoring(ThreadState* thread, uint32_t scopes) {
  thread->ignoring = scopes;
  thread->origin = OriginOf(thread->owner, scopes != 0);
}

uint32_t FreezeEvents(uint32_t limit_ms) {
  const ThreadState* self = ThisThread();
  freezer_tid.store(static_cast<uint32_t>(RawSyscall(SYS_gettid)), std::memory_order_relaxed);
  const auto freeze = [] {
    fork_page.phase.store(static_cast<uint32_t>(Phase::kFrozen), std::memory_order_seq_cst);
    return !RawFailed(RawSyscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
  };
  const bool fenced = freeze();
  uint32_t inside = 0;
  for (uint32_t waited_us = 0;; waited_us += 200) {
    inside = 0;
    if (fenced && waited_us % kThawEveryUs == 0 && waited_us != 0) {
      SetPhase(Phase::kRunning);
      const timespec pause = {0, 1000000};
      RawSyscall(SYS_nanosleep, &pause, nullptr);
      freeze();
    }
    if (fenced || waited_us >= 2000) {  // without the barrier, time makes the stores visible
      for (const ThreadState* state = all_states.load(std::memory_order_acquire); state != nullptr; state = state->next) {
        if (state != self && state->busy.load(std::memory_order_acquire) != 0) ++inside;
      }
      if (inside == 0) return 0;
    }
    if (waited_us >= limit_ms * 1000) return inside;
    const timespec pause = {0, 200000};
    RawSyscall(SYS_nanosleep, &pause, nullptr);
  }
}

bool InterruptedEvent() {
  const ThreadState* state = ThisThread();
  return state != nullptr && state->busy.load(std::memory_order_relaxed) != 0;
}

StackBounds StackBoundsOf(uint32_t tid) {
  for (ThreadState* state = all_states.load(std::memory_order_acquire); state != nullptr; state = state->next) {
    if (state->tid == tid && state->stack_high != 0) return {state->stack_low, state->stack_high};
  }
  return {};
}

void ForEachEndedStack(void (*visit)(const StackBounds& stack, uintptr_t control_block, void* context), void* context) {
  for (const ThreadState* state = free_states; state != nullptr; state = state->next_free) {
    if (state->stack_high != 0) visit({state->stack_low, state->stack_high}, state->control_block, context);
  }
}

void RefreshThreadNames() {
  for (ThreadState* state = all_states.load(std::memory_order_acquire); state != nullptr; state = state->next) {
    if (state->ledger_thread == 0) continue;
    ledger::Thread* record = ledger::g_ledger.At<ledger::Thread>(TableId::kThreads, state->ledger_thread);
    if (record->state != 1) continue;
    char path[64] = "/proc/self/task/";
    std::strcpy(AppendDecimal(path + std::strlen(path), record->tid), "/comm");
    const long fd = RawSyscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (RawFailed(fd)) continue;
    char name[sizeof(record->name)] = {};
    const long size = RawSyscall(SYS_read, fd, name, sizeof(name) - 1);
    RawSyscall(SYS_close, fd);
    if (size <= 0) continue;
    if (name[size - 1] == '\n') name[size - 1] = '\0';
    std::memcpy(record->name, name, sizeof(name));
  }
}

bool InOwnCall() {
  const ThreadState* state = ThisThread();
  return this_thread == kAttaching || (state != nullptr && state->capturing);
}

ThreadState* ThisThread() { return StateOf(this_thread); }

}  // namespace mallocspy

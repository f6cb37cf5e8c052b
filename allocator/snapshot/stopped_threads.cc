#include "allocator/snapshot/stopped_threads.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <time.h>
#include <ucontext.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "allocator/system/clock.h"
#include "allocator/system/decimal.h"
#include "allocator/system/kept_registers.h"
#include "allocator/system/os_memory.h"
#include "allocator/system/raw_syscall.h"
#include "allocator/system/signal_action.h"
#include "allocator/thread_state.h"

namespace mallocspy {
namespace {

constexpr uint32_t kMostThreads = 32768;
constexpr uint32_t kIdle = 0;
constexpr uint32_t kStopping = 1;
// How often the others are looked at while they do not answer, and in how many more looks a thread must be in the sleep in which it was seen first
// before it is no longer waited for.
constexpr timespec kLookPause = {0, 1000000};
constexpr uint32_t kLooksAtSleepers = 2;
// The end of the XSAVE area is told by a word in the software-reserved bytes of its legacy part (Linux, asm/sigcontext.h).
constexpr size_t kSoftwareBytes = 464;
constexpr uint32_t kExtendedMagic = 0x46505853;
constexpr size_t kLegacyBytes = 512;

// A slot stays one thread's for the whole stop, since that thread may be writing into it.
struct Slot {
  enum State : uint32_t { kAsked, kAnswered, kGivenUp, kEnded };
  std::atomic<uint32_t> tid;
  std::atomic<uint32_t> state;
  // The stopping thread's own: in which sleep the thread was seen, and in how many looks in turn.
  uint64_t sleep;
  uint32_t looks;
  StoppedThread thread;  // `tid` and `answered` are the stopping thread's, the rest its own
};

// One stop at a time in a process: the end of its record, or a check that holds the check's lock.
constinit Slot* slots = nullptr;      // kMostThreads of them, reserved lazily, kept
constinit uint32_t* order = nullptr;  // the slots of threads that did not end, once all is settled
constinit long stopper_pid = 0;       // a forked child inherits what its parent was just doing
constinit std::atomic<uint32_t> slot_count{0};
constinit std::atomic<uint32_t> state{kIdle};
constinit std::atomic<uint32_t> answers{0};
constinit std::atomic<uint32_t> waiting{0};  // in an answer

// The signals that are asked with: the first one, and where the queue of real-time signals is full, one that needs no place in there.
struct TakenSignal {
  int number;  // 0: none
  KernelAction before;
};
constinit TakenSignal taken[2] = {};

uint32_t OwnTid() { return static_cast<uint32_t>(RawSyscall(SYS_gettid)); }

Slot* SlotOf(uint32_t tid) {
  const uint32_t count = slot_count.load(std::memory_order_acquire);
  for (uint32_t i = 0; i < count; ++i) {
    if (slots[i].tid.load(std::memory_order_relaxed) == tid &&
        slots[i].state.load(std::memory_order_relaxed) != Slot::kEnded)
      return &slots[i];
  }
  return nullptr;
}

uintptr_t ControlBlock() {
  uintptr_t self;
  asm("mov %%fs:0, %0" : "=r"(self));
  return self;
}

// Says where this thread is, by `tell(&thread)`, and waits until it is released; returns at once if nobody waits for that.
template <typename Tell>
void Answer(Tell tell) {
  waiting.fetch_add(1, std::memory_order_seq_cst);
  Slot* slot = state.load(std::memory_order_seq_cst) == kStopping ? SlotOf(OwnTid()) : nullptr;
  if (slot != nullptr && slot->state.load(std::memory_order_relaxed) == Slot::kAsked) {
    tell(&slot->thread);
    slot->thread.control_block = ControlBlock();
    uint32_t asked = Slot::kAsked;
    if (slot->state.compare_exchange_strong(asked, Slot::kAnswered, std::memory_order_acq_rel)) {
      answers.fetch_add(1, std::memory_order_release);
      RawSyscall(SYS_futex, &answers, FUTEX_WAKE_PRIVATE, 1);
      while (state.load(std::memory_order_acquire) == kStopping) {
        RawSyscall(SYS_futex, &state, FUTEX_WAIT_PRIVATE, kStopping, nullptr);
      }
    }
  }
  waiting.fetch_sub(1, std::memory_order_release);
}

void NoteSignalStack(const stack_t& stack, StoppedThread* thread) {
  const uintptr_t start = reinterpret_cast<uintptr_t>(stack.ss_sp);
  const bool there =
      thread->sp >= start && thread->sp - start < stack.ss_size;  // the kernel's frame does not say it in flags
  thread->signal_stack = there ? start : 0;
  thread->signal_stack_bytes = there ? stack.ss_size : 0;
}

void OnStop(int, siginfo_t*, void* context_pointer) {
  Answer([=](StoppedThread* thread) {
    const ucontext_t* context = static_cast<const ucontext_t*>(context_pointer);
    thread->sp = static_cast<uintptr_t>(context->uc_mcontext.gregs[REG_RSP]);
    thread->registers = reinterpret_cast<uintptr_t>(context);
    thread->registers_bytes = sizeof(*context);
    thread->vectors = reinterpret_cast<uintptr_t>(context->uc_mcontext.fpregs);
    thread->vectors_bytes = 0;
    if (thread->vectors != 0) {
      uint32_t software[2];
      std::memcpy(software, reinterpret_cast<const void*>(thread->vectors + kSoftwareBytes), sizeof(software));
      thread->vectors_bytes =
          software[0] == kExtendedMagic && software[1] < kPageBytes * 4 ? software[1] : kLegacyBytes;
    }
    NoteSignalStack(context->uc_stack, thread);
  });
}

// The answer of a thread that waits for the end of a freeze, where the signal may not reach it.
void AnswerAtGate() {
  MALLOCSPY_KEPT_REGISTERS(kept);
  stack_t other = {};
  RawSyscall(SYS_sigaltstack, nullptr, &other);
  Answer([&](StoppedThread* thread) {
    thread->registers = reinterpret_cast<uintptr_t>(&kept);
    thread->registers_bytes = sizeof(kept);
    thread->sp = thread->registers;  // what lies below is this function's own
    thread->vectors = thread->vectors_bytes = 0;
    NoteSignalStack(other, thread);
  });
}

// A real-time signal with its default action, from the highest downwards: libraries take theirs from below.
int UnusedSignal() {
  constexpr int kLowest = 35;  // 32 to 34 are libc's own
  for (int signal = 64; signal >= kLowest; --signal) {
    KernelAction now = {};
    if (GetKernelAction(signal, &now) && now.handler == 0) return signal;
  }
  return 0;
}

// What a file of a thread in /proc says, as much as there is room for; empty if it cannot be read.
template <size_t kBytes>
void ReadThreadFile(uint32_t tid, const char* name, char (&text)[kBytes]) {
  char path[64] = "/proc/self/task/";
  std::strcpy(AppendDecimal(path + std::strlen(path), tid), name);
  text[0] = '\0';
  const long fd = RawSyscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (RawFailed(fd)) return;
  const long size = RawSyscall(SYS_read, fd, text, kBytes - 1);
  RawSyscall(SYS_close, fd);
  text[size > 0 ? size : 0] = '\0';
}

// A process whose first thread has ended keeps it until all have: state Z in proc(5)'s stat.
bool IsZombie(uint32_t tid) {
  char text[256];
  ReadThreadFile(tid, "/stat", text);
  const char* name_end = std::strrchr(text, ')');
  return name_end != nullptr && name_end[1] == ' ' && (name_end[2] == 'Z' || name_end[2] == 'X');
}

// Which sleep of its life a thread is in, if it has the signal blocked meanwhile: it will not answer before whatever it waits for comes. 0 if
// not. By its status, proc(5). Sleep that no signal ends (D) is not meant: it is short, as that of a vfork() until its child has started.
uint64_t SleepThrough(uint32_t tid, int signal) {
  char text[2048];
  ReadThreadFile(tid, "/status", text);
  const char* state = std::strstr(text, "\nState:\t");
  const char* blocked = std::strstr(text, "\nSigBlk:\t");
  const char* sleeps = std::strstr(text, "\nvoluntary_ctxt_switches:\t");
  if (state == nullptr || blocked == nullptr || sleeps == nullptr || state[8] != 'S') return 0;
  uint64_t mask = 0;
  for (const char* c = blocked + 9; *c != '\n' && *c != '\0'; ++c) {
    mask = mask << 4 | static_cast<uint64_t>(*c <= '9' ? *c - '0' : *c - 'a' + 10);
  }
  if ((mask >> (signal - 1) & 1) == 0) return 0;
  uint64_t number = 0;
  for (const char* c = sleeps + 26; *c >= '0' && *c <= '9'; ++c) number = number * 10 + static_cast<uint64_t>(*c - '0');
  return number + 1;
}

// One that default actions and programs leave alone. A late one does no harm: the first two are ignored by default.
int UnusedOrdinarySignal() {
  for (const int signal : {SIGURG, SIGWINCH, SIGSTKFLT, SIGPWR}) {
    KernelAction now = {};
    if (GetKernelAction(signal, &now) && now.handler == 0) return signal;
  }
  return 0;
}

void Take(int signal, TakenSignal* into) {
  into->number = signal;
  SetKernelAction(signal, HandledBy(OnStop, SA_RESTART | SA_ONSTACK, ~uint64_t{0}), &into->before);
}

void GiveBack(TakenSignal* signal) {
  if (signal->number == 0) return;
  // One that is still pending must not meet the program's own action, or the default, which is to kill: to ignore it discards it.
  KernelAction ignore = {};
  ignore.handler = reinterpret_cast<uintptr_t>(SIG_IGN);
  SetKernelAction(signal->number, ignore, nullptr);
  SetKernelAction(signal->number, signal->before, nullptr);
  signal->number = 0;
}

// Those who would keep the others waiting for nothing. One that waits for the end of a freeze is asked there.
void GiveUpSleepers(int signal) {
  const uint32_t count = slot_count.load(std::memory_order_relaxed);
  for (uint32_t i = 0; i < count; ++i) {
    Slot& slot = slots[i];
    if (slot.state.load(std::memory_order_acquire) != Slot::kAsked) continue;
    const uint64_t sleep = SleepThrough(slot.thread.tid, signal);
    slot.looks = sleep != 0 && sleep == slot.sleep ? slot.looks + 1 : 0;
    slot.sleep = sleep;
    if (slot.looks < kLooksAtSleepers) continue;
    uint32_t asked = Slot::kAsked;
    slot.state.compare_exchange_strong(asked, Slot::kGivenUp, std::memory_order_acq_rel);
  }
}

// How many are yet to answer. Those that ended before they answered are not waited for: they block all signals on their way out.
uint32_t CountPending() {
  const long pid = RawSyscall(SYS_getpid);
  const uint32_t count = slot_count.load(std::memory_order_relaxed);
  uint32_t pending = 0;
  for (uint32_t i = 0; i < count; ++i) {
    Slot& slot = slots[i];
    if (slot.state.load(std::memory_order_acquire) != Slot::kAsked) continue;
    const uint32_t tid = slot.thread.tid;
    if (RawSyscall(SYS_tgkill, pid, tid, 0) != -ESRCH && !(tid == pid && IsZombie(tid))) {
      ++pending;
    } else {
      uint32_t asked = Slot::kAsked;
      slot.state.compare_exchange_strong(asked, Slot::kEnded, std::memory_order_acq_rel);
    }
  }
  return pending;
}

}  // namespace

StoppedThreads::~StoppedThreads() { Release(); }

const StoppedThread& StoppedThreads::operator[](size_t index) const { return slots[order[index]].thread; }

// False if the thread cannot be signalled; one that ended meanwhile can.
bool StoppedThreads::Ask(uint32_t tid) {
  const long pid = RawSyscall(SYS_getpid);
  long sent = -EAGAIN;
  if (taken[1].number == 0) sent = RawSyscall(SYS_tgkill, pid, tid, taken[0].number);
  if (sent == -EAGAIN) {  // the queue of real-time signals is full
    if (taken[1].number == 0) {
      const int signal = UnusedOrdinarySignal();
      if (signal == 0) return false;
      Take(signal, &taken[1]);
    }
    sent = RawSyscall(SYS_tgkill, pid, tid, taken[1].number);
  }
  return !RawFailed(sent) || sent == -ESRCH;
}

// Signals the threads that have none of our slots yet.
bool StoppedThreads::AddNewThreads(bool* added) {
  *added = false;
  const long fd = RawSyscall(SYS_openat, AT_FDCWD, "/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (RawFailed(fd)) return false;
  struct Entry {  // getdents64(2)
    uint64_t inode;
    int64_t offset;
    uint16_t bytes;
    uint8_t type;
    char name[];
  };
  alignas(Entry) char buffer[4096];
  const uint32_t own = OwnTid();
  bool good = true;
  for (;;) {
    const long got = RawSyscall(SYS_getdents64, fd, buffer, sizeof(buffer));
    if (got <= 0) {
      good = good && got == 0;
      break;
    }
    for (long at = 0; at < got;) {
      const Entry* entry = reinterpret_cast<const Entry*>(buffer + at);
      at += entry->bytes;
      uint32_t tid = 0;
      for (const char* c = entry->name; *c >= '0' && *c <= '9'; ++c) tid = tid * 10 + static_cast<uint32_t>(*c - '0');
      if (tid == 0 || tid == own || SlotOf(tid) != nullptr) continue;
      const uint32_t index = slot_count.load(std::memory_order_relaxed);
      if (index == kMostThreads) continue;
      Slot& slot = slots[index];
      slot.sleep = 0;
      slot.looks = 0;
      slot.thread = {};
      slot.thread.tid = tid;
      slot.state.store(Slot::kAsked, std::memory_order_relaxed);
      slot.tid.store(tid, std::memory_order_relaxed);
      slot_count.store(index + 1, std::memory_order_release);
      if (!Ask(tid)) good = false;
      *added = true;
    }
  }
  RawSyscall(SYS_close, fd);
  return good;
}

// Who answered and who did not; from now on a late answer changes nothing.
void StoppedThreads::Settle() {
  unanswered_ = 0;
  count_ = 0;
  const uint32_t count = slot_count.load(std::memory_order_relaxed);
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t asked = Slot::kAsked;
    slots[i].state.compare_exchange_strong(asked, Slot::kGivenUp, std::memory_order_acq_rel);
    if (asked == Slot::kEnded) continue;
    slots[i].thread.answered = asked == Slot::kAnswered;
    if (!slots[i].thread.answered) ++unanswered_;
    order[count_++] = i;
  }
}

bool StoppedThreads::Stop(int signal, uint32_t limit_ms) {
  if (slots == nullptr) slots = static_cast<Slot*>(MapPrivate(kMostThreads * sizeof(Slot)));
  if (order == nullptr) order = static_cast<uint32_t*>(MapPrivate(kMostThreads * sizeof(uint32_t)));
  if (const long pid = RawSyscall(SYS_getpid); pid != stopper_pid) {
    // Of a stop that the parent was at: its threads are not here.
    stopper_pid = pid;
    waiting.store(0, std::memory_order_relaxed);
    for (TakenSignal& inherited : taken) GiveBack(&inherited);
  }
  if (signal == 0) signal = UnusedSignal();
  if (slots == nullptr || order == nullptr || signal == 0) return false;
  const uint64_t deadline = MonotonicUs() + uint64_t{limit_ms} * 1000;
  // A thread that answered late to an earlier stop must have gone on before its slot is used again.
  while (waiting.load(std::memory_order_seq_cst) != 0 && MonotonicUs() < deadline) {
    const timespec pause = {0, 100000};
    RawSyscall(SYS_nanosleep, &pause, nullptr);
  }
  slot_count.store(0, std::memory_order_relaxed);
  answers.store(0, std::memory_order_relaxed);
  state.store(kStopping, std::memory_order_seq_cst);
  Take(signal, &taken[0]);
  SetGateAnswer(AnswerAtGate);
  stopped_ = true;
  bool good = true;
  // A running thread may start another one until it has answered: so until nobody new is found and all have answered.
  for (bool added = true;;) {
    good = AddNewThreads(&added);
    if (!good) break;
    uint32_t answered = answers.load(std::memory_order_acquire);
    while (CountPending() != 0 && MonotonicUs() < deadline) {
      WakeGate();
      const long woken = RawSyscall(SYS_futex, &answers, FUTEX_WAIT_PRIVATE, answered, &kLookPause);
      if (woken == -ETIMEDOUT) GiveUpSleepers(taken[0].number);
      answered = answers.load(std::memory_order_acquire);
    }
    if (!added || MonotonicUs() >= deadline) break;
  }
  if (!good) {
    Release();
    return false;
  }
  Settle();
  return true;
}

void StoppedThreads::Release() {
  if (!stopped_) return;
  stopped_ = false;
  count_ = 0;
  SetGateAnswer(nullptr);
  state.store(kIdle, std::memory_order_release);
  RawSyscall(SYS_futex, &state, FUTEX_WAKE_PRIVATE, INT32_MAX);
  for (TakenSignal& signal : taken) GiveBack(&signal);
}

}  // namespace mallocspy

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

#include "allocator/system/decimal.h"
#include "allocator/system/os_memory.h"
#include "allocator/system/raw_syscall.h"

namespace mallocspy {
namespace {

constexpr uint32_t kMostThreads = 32768;
constexpr uint32_t kIdle = 0;
constexpr uint32_t kStopping = 1;
// The end of the XSAVE area is told by a word in the software-reserved bytes of its legacy part (Linux, asm/sigcontext.h).
constexpr size_t kSoftwareBytes = 464;
constexpr uint32_t kExtendedMagic = 0x46505853;
constexpr size_t kLegacyBytes = 512;

struct Slot {
  std::atomic<uint32_t> tid;
  std::atomic<uint32_t> answered;
  StoppedThread thread;
};

// The kernel's own layout of a signal's action.
struct KernelAction {
  uintptr_t handler;
  uint64_t flags;
  void (*restorer)();
  uint64_t mask;
};

// One stop at a time in a process: the end of its record, or a check that holds the check's lock.
constinit Slot* slots = nullptr;  // kMostThreads of them, reserved lazily, kept
constinit std::atomic<uint32_t> slot_count{0};
constinit std::atomic<uint32_t> state{kIdle};
constinit std::atomic<uint32_t> answers{0};
constinit std::atomic<uint32_t> waiting{0};  // in the handler
constinit long waiting_pid = 0;              // of the process whose threads those are: a forked child has none of them
constinit KernelAction action_before = {};

// SA_RESTORER: what the kernel returns to after the handler.
extern "C" __attribute__((visibility("hidden"))) void mallocspy_signal_return();
asm(".text\n"
    ".hidden mallocspy_signal_return\n"
    ".globl mallocspy_signal_return\n"
    ".type mallocspy_signal_return, @function\n"
    "mallocspy_signal_return:\n"
    "  mov $15, %eax\n"  // rt_sigreturn
    "  syscall\n"
    ".size mallocspy_signal_return, .-mallocspy_signal_return\n");

uint32_t OwnTid() { return static_cast<uint32_t>(RawSyscall(SYS_gettid)); }

Slot* SlotOf(uint32_t tid) {
  const uint32_t count = slot_count.load(std::memory_order_acquire);
  for (uint32_t i = 0; i < count; ++i) {
    if (slots[i].tid.load(std::memory_order_relaxed) == tid) return &slots[i];
  }
  return nullptr;
}

uintptr_t ControlBlock() {
  uintptr_t self;
  asm("mov %%fs:0, %0" : "=r"(self));
  return self;
}

void OnStop(int, siginfo_t*, void* context_pointer) {
  const ucontext_t* context = static_cast<const ucontext_t*>(context_pointer);
  if (state.load(std::memory_order_acquire) != kStopping) return;  // it came late
  Slot* slot = SlotOf(OwnTid());
  if (slot == nullptr || slot->answered.load(std::memory_order_relaxed) != 0) return;
  StoppedThread& thread = slot->thread;
  thread.sp = static_cast<uintptr_t>(context->uc_mcontext.gregs[REG_RSP]);
  thread.registers = reinterpret_cast<uintptr_t>(context);
  thread.registers_bytes = sizeof(*context);
  thread.vectors = reinterpret_cast<uintptr_t>(context->uc_mcontext.fpregs);
  thread.vectors_bytes = 0;
  if (thread.vectors != 0) {
    uint32_t software[2];
    std::memcpy(software, reinterpret_cast<const void*>(thread.vectors + kSoftwareBytes), sizeof(software));
    thread.vectors_bytes = software[0] == kExtendedMagic && software[1] < kPageBytes * 4 ? software[1] : kLegacyBytes;
  }
  thread.control_block = ControlBlock();
  thread.answered = true;
  waiting.fetch_add(1, std::memory_order_relaxed);
  slot->answered.store(1, std::memory_order_release);
  answers.fetch_add(1, std::memory_order_release);
  RawSyscall(SYS_futex, &answers, FUTEX_WAKE_PRIVATE, 1);
  while (state.load(std::memory_order_acquire) == kStopping) {
    RawSyscall(SYS_futex, &state, FUTEX_WAIT_PRIVATE, kStopping, nullptr);
  }
  waiting.fetch_sub(1, std::memory_order_release);
}

void SetAction(int signal, const KernelAction& action, KernelAction* before) {
  RawSyscall(SYS_rt_sigaction, signal, &action, before, sizeof(action.mask));
}

// A real-time signal with its default action, from the highest downwards: libraries take theirs from below.
int UnusedSignal() {
  constexpr int kLowest = 35;  // 32 to 34 are libc's own
  for (int signal = 64; signal >= kLowest; --signal) {
    KernelAction now = {};
    if (!RawFailed(RawSyscall(SYS_rt_sigaction, signal, nullptr, &now, sizeof(now.mask))) && now.handler == 0) return signal;
  }
  return 0;
}

// A process whose first thread has ended keeps it until all have: state Z in proc(5)'s stat.
bool IsZombie(uint32_t tid) {
  char path[64] = "/proc/self/task/";
  std::strcpy(AppendDecimal(path + std::strlen(path), tid), "/stat");
  const long fd = RawSyscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (RawFailed(fd)) return false;
  char text[256];
  const long size = RawSyscall(SYS_read, fd, text, sizeof(text) - 1);
  RawSyscall(SYS_close, fd);
  text[size > 0 ? size : 0] = '\0';
  const char* name_end = std::strrchr(text, ')');
  return name_end != nullptr && name_end[1] == ' ' && (name_end[2] == 'Z' || name_end[2] == 'X');
}

// Takes the threads out that ended before they answered: they block all signals on their way out. How many are yet to answer.
uint32_t DropEnded() {
  const long pid = RawSyscall(SYS_getpid);
  uint32_t count = slot_count.load(std::memory_order_relaxed);
  uint32_t pending = 0;
  for (uint32_t i = 0; i < count;) {
    Slot& slot = slots[i];
    if (slot.answered.load(std::memory_order_acquire) != 0) {
      ++i;
    } else if (RawSyscall(SYS_tgkill, pid, slot.thread.tid, 0) != -ESRCH && !(slot.thread.tid == pid && IsZombie(slot.thread.tid))) {
      ++pending;
      ++i;
    } else {
      Slot& last = slots[--count];
      slot.thread = last.thread;
      slot.answered.store(last.answered.load(std::memory_order_acquire), std::memory_order_relaxed);
      slot.tid.store(last.tid.load(std::memory_order_relaxed), std::memory_order_relaxed);
      slot_count.store(count, std::memory_order_release);
    }
  }
  return pending;
}

uint64_t NowMs() {
  timespec now;
  RawSyscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1000000;
}

}  // namespace

StoppedThreads::~StoppedThreads() { Release(); }

const StoppedThread& StoppedThreads::operator[](size_t index) const { return slots[index].thread; }

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
  const long pid = RawSyscall(SYS_getpid);
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
      slot.thread = {};
      slot.thread.tid = tid;
      slot.answered.store(0, std::memory_order_relaxed);
      slot.tid.store(tid, std::memory_order_relaxed);
      slot_count.store(index + 1, std::memory_order_release);
      const long sent = RawSyscall(SYS_tgkill, pid, tid, signal_);
      if (sent == -ESRCH) {
        // It ended meanwhile.
        slot_count.store(index, std::memory_order_release);
        continue;
      }
      if (RawFailed(sent)) good = false;
      *added = true;
    }
  }
  RawSyscall(SYS_close, fd);
  return good;
}

bool StoppedThreads::Stop(int signal, uint32_t limit_ms) {
  if (slots == nullptr) slots = static_cast<Slot*>(MapPrivate(kMostThreads * sizeof(Slot)));
  signal_ = signal != 0 ? signal : UnusedSignal();
  if (slots == nullptr || signal_ == 0) return false;
  const uint64_t deadline = NowMs() + limit_ms;
  const long pid = RawSyscall(SYS_getpid);
  if (waiting_pid != pid) waiting.store(0, std::memory_order_relaxed);
  waiting_pid = pid;
  // A thread that answered late to an earlier stop must have left the handler before its slot is used again.
  while (waiting.load(std::memory_order_acquire) != 0 && NowMs() < deadline) {
    const timespec pause = {0, 100000};
    RawSyscall(SYS_nanosleep, &pause, nullptr);
  }
  slot_count.store(0, std::memory_order_relaxed);
  answers.store(0, std::memory_order_relaxed);
  state.store(kStopping, std::memory_order_release);
  KernelAction action = {};
  action.handler = reinterpret_cast<uintptr_t>(&OnStop);
  action.flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK | 0x04000000;  // SA_RESTORER
  action.restorer = mallocspy_signal_return;
  action.mask = ~uint64_t{0};
  SetAction(signal_, action, &action_before);
  stopped_ = true;
  bool good = true;
  // A running thread may start another one until it has answered: so until nobody new is found and all have answered.
  for (bool added = true;;) {
    good = AddNewThreads(&added);
    if (!good) break;
    uint32_t answered = answers.load(std::memory_order_acquire);
    while (DropEnded() != 0 && NowMs() < deadline) {
      const timespec pause = {0, 2000000};
      RawSyscall(SYS_futex, &answers, FUTEX_WAIT_PRIVATE, answered, &pause);
      answered = answers.load(std::memory_order_acquire);
    }
    if (!added || NowMs() >= deadline) break;
  }
  if (!good) {
    Release();
    return false;
  }
  count_ = slot_count.load(std::memory_order_relaxed);
  unanswered_ = 0;
  for (size_t i = 0; i < count_; ++i) {
    const bool answered = slots[i].answered.load(std::memory_order_acquire) != 0;
    if (!answered) ++unanswered_;
  }
  return true;
}

void StoppedThreads::Release() {
  if (!stopped_) return;
  stopped_ = false;
  count_ = 0;
  state.store(kIdle, std::memory_order_release);
  RawSyscall(SYS_futex, &state, FUTEX_WAKE_PRIVATE, INT32_MAX);
  // A signal that is still pending must not meet the program's own action, or the default, which is to kill: to ignore it discards it.
  KernelAction ignore = {};
  ignore.handler = reinterpret_cast<uintptr_t>(SIG_IGN);
  if (unanswered_ != 0) SetAction(signal_, ignore, nullptr);
  SetAction(signal_, action_before, nullptr);
}

}  // namespace mallocspy

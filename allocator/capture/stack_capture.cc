#include "allocator/capture/stack_capture.h"

#define UNW_LOCAL_ONLY
#include <dlfcn.h>
#include <libunwind.h>
#include <time.h>

#include <atomic>
#include <cstring>

#include "allocator/capture/own_code.h"
#include "allocator/system/raw_syscall.h"
#include "allocator/thread_state.h"

namespace mallocspy {
namespace {

// libunwind's unw_backtrace(): return addresses of the caller and outwards; at most `size`. It keeps a frame rule for each
// address and thread, and never forgets one.
using Backtrace = int (*)(void** buffer, int size);
constinit Backtrace backtrace = nullptr;

// The same by single steps, whose cached rules can be flushed.
using GetContext = int (*)(unw_context_t*);
constinit GetContext get_context = nullptr;
constinit decltype(&unw_init_local) init_local = nullptr;
constinit decltype(&unw_step) step = nullptr;
constinit decltype(&unw_get_reg) get_register = nullptr;
constinit decltype(&unw_flush_cache) flush_cache = nullptr;
constinit decltype(&unw_set_caching_policy) set_caching_policy = nullptr;
constinit unw_addr_space_t* local_space = nullptr;
constinit std::atomic<bool> by_steps{false};

// What unwinding needs of the thread's stack, with room to spare: 24 frames were measured at 4.4 to 7.7 KiB.
constexpr uintptr_t kUnwindStackBytes = 12 * 1024;

constinit std::atomic<uint32_t> unwinding{0};
constinit std::atomic<uint32_t> forks{0};

int UnwindBySteps(uintptr_t* frames, uint32_t capacity) {
  unw_context_t context;
  unw_cursor_t cursor;
  get_context(&context);
  if (init_local(&cursor, &context) < 0) return 0;
  uint32_t count = 0;
  do {
    unw_word_t address;
    if (get_register(&cursor, UNW_REG_IP, &address) < 0 || address == 0) break;
    frames[count++] = address;
  } while (count < capacity && step(&cursor) > 0);
  return static_cast<int>(count);
}

// Unwinds unless a fork is under way; the number of frames, or 0.
int Unwind(uintptr_t* frames, uint32_t capacity) {
  if (backtrace == nullptr) return 0;
  unwinding.fetch_add(1, std::memory_order_seq_cst);
  int count = 0;
  if (forks.load(std::memory_order_seq_cst) == 0) {
    count = by_steps.load(std::memory_order_relaxed)
                ? UnwindBySteps(frames, capacity)
                : backtrace(reinterpret_cast<void**>(frames), static_cast<int>(capacity));
  }
  unwinding.fetch_sub(1, std::memory_order_release);
  return count > 0 ? count : 0;
}

template <typename Symbol>
bool Bind(void* library, const char* name, Symbol* symbol) {
  *symbol = reinterpret_cast<Symbol>(dlsym(library, name));
  return *symbol != nullptr;
}

bool RoomToUnwind(StackBounds bounds) {
  const uintptr_t sp = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  return sp < bounds.high && sp > bounds.low && sp - bounds.low > kUnwindStackBytes;
}

}  // namespace

CapturedStack CaptureStack(uintptr_t* frames, uint32_t limit, StackBounds bounds, const void* caller) {
  const int count = RoomToUnwind(bounds) ? Unwind(frames, limit + kOwnFrames) : 0;
  int own = 0;
  while (own < count && IsOwnCode(frames[own])) ++own;
  if (own == count) {
    frames[0] = reinterpret_cast<uintptr_t>(caller);
    return {caller != nullptr ? 1u : 0u, true};
  }
  uint32_t depth = static_cast<uint32_t>(count - own);
  // The outermost frame may be followed by a zero, the end of the chain as the ABI marks it.
  while (depth > 0 && frames[static_cast<uint32_t>(own) + depth - 1] == 0) --depth;
  const bool truncated = depth > limit || static_cast<uint32_t>(count) == limit + kOwnFrames;
  if (depth > limit) depth = limit;
  std::memmove(frames, frames + own, depth * sizeof(frames[0]));
  return {depth, truncated};
}

bool LoadUnwinder() {
  // Local, so that libunwind's _Unwind_* functions do not take the place of libgcc's in the program.
  void* library = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return false;
#define MALLOCSPY_TEXT_OF(name) #name
#define MALLOCSPY_BIND(function, name) Bind(library, MALLOCSPY_TEXT_OF(name), &function)  // by the name behind the macro
  const bool bound = Bind(library, "unw_backtrace", &backtrace) && MALLOCSPY_BIND(get_context, UNW_ARCH_OBJ(getcontext)) &&
                     MALLOCSPY_BIND(init_local, unw_init_local) && MALLOCSPY_BIND(step, unw_step) &&
                     MALLOCSPY_BIND(get_register, unw_get_reg) && MALLOCSPY_BIND(flush_cache, unw_flush_cache) &&
                     MALLOCSPY_BIND(local_space, unw_local_addr_space) &&
                     MALLOCSPY_BIND(set_caching_policy, unw_set_caching_policy);
  if (!bound) {
    backtrace = nullptr;
    return false;
  }
  // Its common cache has a lock, held while it asks the loader: a thread that allocates while it holds the loader's lock would
  // wait for it, and it for that thread. What the threads remember for themselves stays.
  set_caching_policy(*local_space, UNW_CACHE_NONE);
  // The first call sets libunwind up; better here than in the program's first allocation.
  void* frames[4];
  backtrace(frames, 4);
  return true;
}

void ForgetUnloadedCode() {
  if (backtrace == nullptr) return;
  by_steps.store(true, std::memory_order_relaxed);
  flush_cache(*local_space, 0, 0);
}

void BeginFork(uint32_t limit_ms) {
  forks.fetch_add(1, std::memory_order_seq_cst);
  for (uint32_t waited_us = 0; unwinding.load(std::memory_order_seq_cst) != 0 && waited_us < limit_ms * 1000;
       waited_us += 100) {
    const timespec pause = {0, 100000};
    RawSyscall(SYS_nanosleep, &pause, nullptr);
  }
}

void AbandonCapture() {
  uint32_t count = unwinding.load(std::memory_order_relaxed);
  while (count != 0 && !unwinding.compare_exchange_weak(count, count - 1, std::memory_order_release)) {
  }
}

void EndFork() { forks.fetch_sub(1, std::memory_order_release); }

void ResetCaptureAfterFork() {
  forks.store(0, std::memory_order_relaxed);
  unwinding.store(0, std::memory_order_relaxed);
}

}  // namespace mallocspy

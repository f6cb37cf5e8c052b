#include "allocator/capture/stack_capture.h"

#include <dlfcn.h>
#include <time.h>

#include <atomic>
#include <cstring>

#include "allocator/capture/own_code.h"
#include "allocator/system/raw_syscall.h"
#include "allocator/thread_state.h"

namespace mallocspy {
namespace {

// libunwind's unw_backtrace(): return addresses of the caller and outwards; at most `size`.
using Backtrace = int (*)(void** buffer, int size);
constinit Backtrace backtrace = nullptr;

// What unwinding needs of the thread's stack, with room to spare: 24 frames were measured at 4.4 to 7.7 KiB.
constexpr uintptr_t kUnwindStackBytes = 12 * 1024;

constinit std::atomic<uint32_t> unwinding{0};
constinit std::atomic<uint32_t> forks{0};

// Unwinds unless a fork is under way; the number of frames, or 0.
int Unwind(uintptr_t* frames, uint32_t capacity) {
  if (backtrace == nullptr) return 0;
  unwinding.fetch_add(1, std::memory_order_seq_cst);
  int count = 0;
  if (forks.load(std::memory_order_seq_cst) == 0) {
    count = backtrace(reinterpret_cast<void**>(frames), static_cast<int>(capacity));
  }
  unwinding.fetch_sub(1, std::memory_order_release);
  return count > 0 ? count : 0;
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
  backtrace = reinterpret_cast<Backtrace>(dlsym(library, "unw_backtrace"));
  if (backtrace == nullptr) return false;
  // The first call sets libunwind up; better here than in the program's first allocation.
  void* frames[4];
  backtrace(frames, 4);
  return true;
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

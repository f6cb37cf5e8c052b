#include "allocator/system/own_memory.h"

#include <sys/mman.h>

#include <atomic>

#include "allocator/system/raw_syscall.h"

namespace mallocspy {
namespace {

struct Range {
  std::atomic<uintptr_t> start;  // 0: free; 1: being filled in
  std::atomic<uintptr_t> end;
};

// Pages of ranges; each page is a range of its own.
constexpr size_t kPageSize = 4096;
struct Chunk {
  static constexpr size_t kRanges = kPageSize / sizeof(Range) - 1;
  Chunk* next;
  uint64_t unused;
  Range ranges[kRanges];
};
static_assert(sizeof(Chunk) == kPageSize);

constexpr uintptr_t kFilling = 1;
constinit std::atomic<Chunk*> chunks{nullptr};
constinit std::atomic<bool> knows_all{true};

bool Take(Chunk* chunk, uintptr_t start, uintptr_t end) {
  for (Range& range : chunk->ranges) {
    uintptr_t free = 0;
    if (range.start.load(std::memory_order_relaxed) != 0 || !range.start.compare_exchange_strong(free, kFilling)) continue;
    range.end.store(end, std::memory_order_relaxed);
    range.start.store(start, std::memory_order_release);
    return true;
  }
  return false;
}

}  // namespace

void AddOwnMemory(uintptr_t start, uintptr_t end) {
  for (Chunk* chunk = chunks.load(std::memory_order_acquire); chunk != nullptr; chunk = chunk->next) {
    if (Take(chunk, start, end)) return;
  }
  const long page = RawSyscall(SYS_mmap, 0, kPageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (RawFailed(page)) {
    knows_all.store(false, std::memory_order_relaxed);
    return;
  }
  Chunk* chunk = reinterpret_cast<Chunk*>(page);
  Take(chunk, static_cast<uintptr_t>(page), static_cast<uintptr_t>(page) + kPageSize);
  Take(chunk, start, end);
  Chunk* first = chunks.load(std::memory_order_relaxed);
  do {
    chunk->next = first;
  } while (!chunks.compare_exchange_weak(first, chunk, std::memory_order_release));
}

void RemoveOwnMemory(uintptr_t start) {
  for (Chunk* chunk = chunks.load(std::memory_order_acquire); chunk != nullptr; chunk = chunk->next) {
    for (Range& range : chunk->ranges) {
      if (range.start.load(std::memory_order_relaxed) != start) continue;
      range.start.store(0, std::memory_order_release);
      return;
    }
  }
}

bool KnowsAllOwnMemory() { return knows_all.load(std::memory_order_relaxed); }

void ForEachOwnMemory(void (*visit)(uintptr_t start, uintptr_t end, void* context), void* context) {
  for (Chunk* chunk = chunks.load(std::memory_order_acquire); chunk != nullptr; chunk = chunk->next) {
    for (Range& range : chunk->ranges) {
      const uintptr_t start = range.start.load(std::memory_order_acquire);
      if (start > kFilling) visit(start, range.end.load(std::memory_order_relaxed), context);
    }
  }
}

}  // namespace mallocspy

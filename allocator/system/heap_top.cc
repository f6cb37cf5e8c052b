#include "allocator/system/heap_top.h"

#include "allocator/system/os_memory.h"

namespace mallocspy {

constinit HeapTop g_heap_top;

namespace {

// A heap smaller than this is left alone, bytes.
constexpr uintptr_t kSmallHeap = 1 << 20;
// As much as glibc asks for ahead (M_TOP_PAD), bytes.
constexpr uintptr_t kAheadBytes = 128 * 1024;

}  // namespace

void HeapTop::Advance(uintptr_t end) {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  const uintptr_t top = Break();
  if (start_.load(kRelaxed) == 0) start_.store(top - kAheadBytes, kRelaxed);
  const uintptr_t start = start_.load(kRelaxed);
  const uintptr_t made = made_.load(kRelaxed);
  if (made > top) made_.store(top, kRelaxed);  // it was trimmed
  if (end > top || end < start || top - start < kSmallHeap || (end <= made && made <= top)) return;
  const uintptr_t from = RoundUp(end, kPageBytes);
  const uintptr_t whole_top = top & ~(kPageBytes - 1);
  const uintptr_t upto = from + kAheadBytes < whole_top ? from + kAheadBytes : whole_top;
  made_.store(upto > end ? upto : end, kRelaxed);
  if (upto > from) Populate(reinterpret_cast<void*>(from), upto - from);
}

}  // namespace mallocspy

// The top of the wrapped malloc's heap, where it grows: its pages are made several at a time, ahead of use, for a fraction of what a
// page fault for each costs. Small heaps and what lies outside of the heap are left alone.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

// The end of the heap (brk), as glibc keeps it.
extern "C" char* __curbrk;

namespace mallocspy {

class HeapTop {
 public:
  // The wrapped malloc gave `bytes` at `block` (or null). Any thread.
  void Gave(const void* block, size_t bytes) {
    const uintptr_t end = reinterpret_cast<uintptr_t>(block) + bytes;
    const uintptr_t made = made_.load(std::memory_order_relaxed);
    if (__builtin_expect(end > made || Break() < made, 0)) Advance(end);
  }

 private:
  static uintptr_t Break() { return reinterpret_cast<uintptr_t>(__atomic_load_n(&__curbrk, __ATOMIC_RELAXED)); }
  void Advance(uintptr_t end);

  std::atomic<uintptr_t> start_{0};  // about where the heap begins
  std::atomic<uintptr_t> made_{0};   // up to here the pages are there
};

extern HeapTop g_heap_top;

}  // namespace mallocspy

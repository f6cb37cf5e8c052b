// Freed blocks of the wrapped malloc, kept by a thread for its next allocations of the same size. What the wrapped malloc would do for
// each call, with a few instructions; its own thread cache holds no more than seven of a size.
//
// Used by one thread at a time. Zeroed memory is an empty cache.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/system/wrapped_malloc.h"

namespace mallocspy {

class BlockCache {
 public:
  // What to ask the wrapped malloc for instead of `bytes`, so that blocks of a size are alike. glibc rounds up to this anyway.
  static size_t Rounded(size_t bytes) { return bytes > kLargestBytes ? bytes : SizeOf(bytes) * kStep - kStep / 2; }

  // A block of at least `bytes`, or nullptr if there is none.
  void* Take(size_t bytes) {
    if (bytes > kLargestBytes) return nullptr;
    const size_t size = SizeOf(bytes);
    Kept* block = heads_[size];
    if (block == nullptr) return nullptr;
    heads_[size] = block->next;
    --counts_[size];
    return block;
  }

  // Keeps a block that was made of Rounded(bytes); false if it is too large or there are enough of them.
  bool Keep(void* block, size_t bytes) {
    if (!open_ || bytes > kLargestBytes || bytes < sizeof(Kept)) return false;
    const size_t size = SizeOf(bytes);
    if (counts_[size] >= kMostOfASize) return false;
    Kept* kept = static_cast<Kept*>(block);
    kept->next = heads_[size];
    heads_[size] = kept;
    ++counts_[size];
    return true;
  }

  // Nothing is kept before Open() and after Close(), which gives everything back, as Empty() does.
  void Open() { open_ = true; }
  void Close() {
    open_ = false;
    Empty();
  }
  void Empty();

 private:
  struct Kept {
    Kept* next;
  };
  static constexpr size_t kStep = 16;
  static constexpr size_t kLargestBytes = 512;
  static constexpr size_t kSizes = kLargestBytes / kStep + 2;
  static constexpr uint16_t kMostOfASize = 64;

  // Sizes end at 8 modulo 16: glibc's blocks do, each with 8 bytes of its own.
  static size_t SizeOf(size_t bytes) { return (bytes + kStep / 2 + kStep - 1) / kStep; }

  Kept* heads_[kSizes];
  uint16_t counts_[kSizes];
  bool open_;
};

}  // namespace mallocspy

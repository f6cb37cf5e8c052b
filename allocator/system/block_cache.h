// Blocks of the wrapped malloc, with freed ones kept by a thread for its next allocations of the same size. What the wrapped malloc would
// do for each call, with a few instructions; its own thread cache holds no more than seven of a size.
//
// Used by one thread at a time. Zeroed memory is an empty cache, and closed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "allocator/system/wrapped_malloc.h"

namespace mallocspy {

class BlockCache {
 public:
  // What is larger is not kept.
  static constexpr size_t kLargestBytes = 512;

  // What the wrapped malloc is asked for instead of `bytes`, so that blocks of a size are alike. glibc rounds up to this anyway.
  static size_t Rounded(size_t bytes) { return bytes > kLargestBytes ? bytes : IndexOf(bytes) * kStep - kStep / 2; }

  // Whether a block for `bytes` has room for `others`, too, and is no larger than one for these.
  static bool AreAlike(size_t bytes, size_t others) {
    return bytes <= kLargestBytes && others <= kLargestBytes && IndexOf(bytes) == IndexOf(others);
  }

  // A block of at least `bytes`, kept or new; nullptr if there is no memory.
  void* Get(size_t bytes, bool zeroed) {
    if (__builtin_expect(bytes <= kLargestBytes, 1)) {
      OfASize& size = sizes_[IndexOf(bytes)];
      if (Kept* block = size.first; __builtin_expect(block != nullptr, 1)) {
        size.first = block->next;
        ++size.room;
        if (zeroed) std::memset(static_cast<void*>(block), 0, bytes);
        return block;
      }
      bytes = Rounded(bytes);
    }
    return zeroed ? wrapped::Calloc(bytes) : wrapped::Malloc(bytes);
  }

  // Takes back a block that was made of Rounded(bytes), at least 8 of them.
  void Give(void* block, size_t bytes) {
    if (__builtin_expect(bytes <= kLargestBytes, 1)) {
      OfASize& size = sizes_[IndexOf(bytes)];
      if (__builtin_expect(size.room != 0, 1)) {
        Kept* kept = static_cast<Kept*>(block);
        kept->next = size.first;
        size.first = kept;
        --size.room;
        return;
      }
    }
    wrapped::Free(block);
  }

  // Nothing is kept before Open() and after Close(), which gives everything back, as Empty() does.
  void Open() {
    for (OfASize& size : sizes_) size.room = kMostOfASize;
  }
  void Close() {
    Empty();
    for (OfASize& size : sizes_) size.room = 0;
  }
  void Empty();

  // How many blocks of that size are kept; while it is open.
  size_t CountOf(size_t bytes) const { return kMostOfASize - sizes_[IndexOf(bytes)].room; }

 private:
  struct Kept {
    Kept* next;
  };
  struct OfASize {
    Kept* first;
    size_t room;  // for so many more
  };
  static constexpr size_t kStep = 16;
  static constexpr size_t kSizes = kLargestBytes / kStep + 2;
  static constexpr size_t kMostOfASize = 64;

  // Sizes end at 8 modulo 16: glibc's blocks do, each with 8 bytes of its own.
  static size_t IndexOf(size_t bytes) { return (bytes + kStep / 2 + kStep - 1) / kStep; }

  OfASize sizes_[kSizes];
};

}  // namespace mallocspy

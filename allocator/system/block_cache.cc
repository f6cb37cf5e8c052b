#include "allocator/system/block_cache.h"

namespace mallocspy {

void BlockCache::Empty() {
  for (size_t size = 0; size < kSizes; ++size) {
    while (Kept* block = heads_[size]) {
      heads_[size] = block->next;
      --counts_[size];
      wrapped::Free(block);
    }
  }
}

}  // namespace mallocspy

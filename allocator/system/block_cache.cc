#include "allocator/system/block_cache.h"

namespace mallocspy {

void BlockCache::Empty() {
  for (OfASize& size : sizes_) {
    while (Kept* block = size.first) {
      size.first = block->next;
      ++size.room;
      wrapped::Free(block);
    }
  }
}

}  // namespace mallocspy

// Option page_guard: which blocks get an inaccessible page beside them, and their lives (guarded_pages.h says where they lie).
//
// Such a block is nobody's (BlockHeader::owner is 0), so that the fast path leaves its end to the slow one. Behind a block that ends at the
// page, alignment may leave less than 16 bytes (less than the alignment, if that is larger): they are the block's guard.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/block_header.h"
#include "allocator/guarded_pages.h"
#include "allocator/options.h"
#include "allocator/thread_state.h"
#include "spy/heap.h"

namespace mallocspy {

class PageGuard {
 public:
  constexpr PageGuard() = default;
  PageGuard(const PageGuard&) = delete;
  PageGuard& operator=(const PageGuard&) = delete;

  // Before any event. No block is chosen before Arm(), when faults can be told.
  void Start(const Options& options);
  void Arm() { armed_ = true; }

  // A block beside a page, made as `request` says, if this allocation is one of those that are chosen; null if not, or if there is no place
  // for it, which is counted. `thread` is in an event with its frame set.
  void* Make(size_t bytes, size_t front_bytes, const Request& request, ThreadState* thread);

  // The end of a block that was claimed and counted. `thread` is null in a call from inside an event.
  void Free(void* block, ThreadState* thread);

 private:
  // While it lasts, `thread` does the work of a block that was chosen by chance, and chooses none afterwards until that was its share.
  class Work;

  bool IsTurn(ThreadState* thread) const;
  bool IsWithin(uint32_t stack) const;

  bool armed_ = false;
  uint64_t period_ = 0;
  uint64_t rest_ = 0;  // so many times the work of a block is waited before the next
  uint64_t min_bytes_ = 0;
  uint64_t max_bytes_ = 0;
  OptionText within_ = {};
};

extern PageGuard g_page_guard;

// Whether a live block, or one that was freed, lies beside an inaccessible page.
inline bool IsPageGuarded(const void* block) { return g_guarded_pages.Holds(block); }

// The offset from a live block's start of the first changed byte of what guards its end, whichever that is; 0 if all are whole.
size_t FindOverflow(const void* block, const BlockHeader& header);

// The block that was freed and began at `address` or had it inside, as long as that is known; else its `block` is null.
GuardedPages::Place PlaceOfFreed(uintptr_t address);

}  // namespace mallocspy

// The usual call in a few instructions: a block that needs no alignment, and the free of a block by the thread that made it. Does exactly
// what the wrapping allocator would do. Whatever is out of the ordinary is left to that, with nothing done.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "allocator/block_header.h"
#include "allocator/capture/recent_stacks.h"
#include "allocator/ledger/live_map.h"
#include "allocator/process.h"
#include "allocator/stack_recorder.h"
#include "allocator/thread_state.h"
#include "spy/door_frame.h"

#define MALLOCSPY_ALWAYS_INLINE inline __attribute__((always_inline))

namespace mallocspy::fast_path {

inline constexpr size_t kNoSize = static_cast<size_t>(-1);

// One call of the usual kind: an event of this thread, if it can be an ordinary one.
class Call {
 public:
  MALLOCSPY_ALWAYS_INLINE Call(Door door, const DoorFrame* frame)
      : thread_(Event::Enter(reinterpret_cast<uintptr_t>(frame))), frame_(frame), door_(door), guarded_(g_settings.guards) {}
  MALLOCSPY_ALWAYS_INLINE ~Call() {
    if (thread_ != nullptr) Event::Leave(thread_);
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  bool ordinary() const { return __builtin_expect(thread_ != nullptr, 1); }

  // Whether this allocation is one that some option wants to see. In an ordinary call, once.
  MALLOCSPY_ALWAYS_INLINE bool IsWatched() { return __builtin_expect(--thread_->quick_left < 0, 0); }

  // The stack of this call. Its counters are null if it cannot be recorded.
  MALLOCSPY_ALWAYS_INLINE RecordedStack Stack() const {
    const RecordedStack* recent = thread_->recent->Find(StateAt(frame_), door_);
    return __builtin_expect(recent != nullptr, 1) ? *recent : CaptureStack(thread_, door_, frame_);
  }

  // Null without memory.
  MALLOCSPY_ALWAYS_INLINE void* Make(size_t bytes, bool zeroed, const RecordedStack& stack) {
    void* raw = thread_->blocks.Get(Raw(bytes), zeroed);
    if (__builtin_expect(raw == nullptr, 0)) return nullptr;
    void* block = static_cast<BlockHeader*>(raw) + 1;
    Fill(block, bytes, stack);
    // Not live before it is whole: a forked child, or a handler of a deadly signal, may look at it as this thread leaves it just here.
    if (__builtin_expect(!ledger::g_live_map.SetLive(reinterpret_cast<uintptr_t>(block)), 0)) {
      wrapped::Free(raw);
      return nullptr;
    }
    Count(bytes, stack);
    return block;
  }

  // Header and guard.
  MALLOCSPY_ALWAYS_INLINE void Fill(void* block, size_t bytes, const RecordedStack& stack) {
    WriteHeader(HeaderOf(block), stack.number, g_settings.mark, bytes, Traits());
    if (guarded_) WriteGuard(block, bytes);
  }
  MALLOCSPY_ALWAYS_INLINE void Count(size_t bytes, const RecordedStack& stack) {
    thread_->counters.CountAllocation(stack.counters, bytes);
  }

  // Whether a live block was made by this thread through this door, was seen by no spy, and is whole.
  MALLOCSPY_ALWAYS_INLINE bool IsOwn(const void* block) const {
    const BlockHeader* header = HeaderOf(block);
    return __builtin_expect(thread_->owner != 0 && HasTraits(header, Traits()) && header->mark >= g_settings.base_mark &&
                            (!guarded_ || IsGuardWhole(block, header->size)), 1);
  }
  // The counters of such a block's stack; null if the thread has none.
  MALLOCSPY_ALWAYS_INLINE ledger::Counters* CountersOf(const void* block) const {
    return thread_->counters.Existing(HeaderOf(block)->stack);
  }
  MALLOCSPY_ALWAYS_INLINE void CountFree(const void* block, ledger::Counters* counters) {
    thread_->counters.CountFree(counters, HeaderOf(block)->size);
  }
  MALLOCSPY_ALWAYS_INLINE void Give(void* block) { thread_->blocks.Give(HeaderOf(block), Raw(HeaderOf(block)->size)); }

  MALLOCSPY_ALWAYS_INLINE size_t Raw(size_t bytes) const { return RawBytes(bytes, guarded_); }

 private:
  MALLOCSPY_ALWAYS_INLINE uint64_t Traits() const { return TraitsOf(door_, guarded_) | thread_->origin; }

  ThreadState* const thread_;
  const DoorFrame* const frame_;
  const Door door_;
  const bool guarded_;
};

inline bool IsLive(const void* block) {
  return ledger::g_live_map.StateOf(reinterpret_cast<uintptr_t>(block)) == ledger::BlockState::kLive;
}

// A block of `bytes` through a door without alignment, or null.
MALLOCSPY_ALWAYS_INLINE void* Allocate(size_t bytes, Door door, bool zeroed, const DoorFrame* frame) {
  constexpr size_t kMostBytes = size_t{1} << 40;  // the wrapping allocator says what is too much
  if (__builtin_expect(bytes > kMostBytes, 0)) return nullptr;
  Call call(door, frame);
  if (!call.ordinary() || call.IsWatched()) return nullptr;
  const RecordedStack stack = call.Stack();
  return __builtin_expect(stack.counters != nullptr, 1) ? call.Make(bytes, zeroed, stack) : nullptr;
}

// Frees `block`, whose caller says that it has `bytes` (or kNoSize); false if it is not done.
MALLOCSPY_ALWAYS_INLINE bool Free(void* block, size_t bytes, Door door, const DoorFrame* frame) {
  if (__builtin_expect(!IsLive(block), 0)) return false;
  Call call(door, frame);
  if (!call.ordinary() || !call.IsOwn(block) || __builtin_expect(g_settings.watches_frees, 0)) return false;
  if (__builtin_expect(bytes != kNoSize && bytes != HeaderOf(block)->size, 0)) return false;
  ledger::Counters* counters = call.CountersOf(block);
  if (__builtin_expect(counters == nullptr, 0)) return false;
  ledger::g_live_map.ClaimOwn(reinterpret_cast<uintptr_t>(block));
  call.CountFree(block, counters);
  call.Give(block);
  return true;
}

// Resizes `block` where it is, if its wrapped block is as large as the new one would be; null if it is not done.
MALLOCSPY_ALWAYS_INLINE void* Resize(void* block, size_t bytes, Door door, const DoorFrame* frame) {
  if (__builtin_expect(!IsLive(block) || g_settings.watches_allocations, 0)) return nullptr;
  Call call(door, frame);
  if (!call.ordinary() || !call.IsOwn(block) || HeaderOf(block)->ignored != 0 || g_settings.watches_frees) return nullptr;
  if (!BlockCache::AreAlike(call.Raw(HeaderOf(block)->size), call.Raw(bytes))) return nullptr;
  const RecordedStack stack = call.Stack();
  ledger::Counters* counters = call.CountersOf(block);
  if (stack.counters == nullptr || counters == nullptr) return nullptr;
  call.CountFree(block, counters);
  call.Fill(block, bytes, stack);
  call.Count(bytes, stack);
  return block;
}

}  // namespace mallocspy::fast_path

// Whole stacks that a thread recorded lately, each found by where it ends: the stack pointer, the return address and the door. A program
// that allocates in turns at several places finds each of them here, whatever lies between. What is found is looked at word by word
// (known_stack.h says why that suffices) before it is believed.
//
// Used by one thread at a time. Zeroed memory is an empty cache.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/capture/known_stack.h"
#include "allocator/ledger/format.h"
#include "spy/heap.h"

namespace mallocspy {

// A stack with its number in the ledger and this thread's counters of it.
struct RecordedStack {
  uint32_t number;
  ledger::Counters* counters;
};

class RecentStacks {
 public:
  // The stack that goes on at `at`, null if it is not here.
  const RecordedStack* Find(const FrameState& at, Door door) const {
    const uint32_t place = PlaceOf(at);
    const Entry& entry = entries_[place];
    const bool ends_so = entry.sp == at.sp && entry.pc_and_door == PcAndDoor(at, door) && entry.epoch == g_call_sites.epoch() &&
                         ((entry.bp ^ at.bp) & entry.bp_mask) == 0;
    return __builtin_expect(ends_so && AreWordsSame(words_[place], entry.words), 1) ? &entry.stack : nullptr;
  }

  // The stack that `known` found last was recorded as `stack`.
  void Keep(KnownStack* known, Door door, const RecordedStack& stack);

  // The thread's stack is another one now, or its counters are.
  void Forget();

 private:
  static constexpr uint32_t kPlaceBits = 8;
  static constexpr uint32_t kPlaces = 1 << kPlaceBits;
  static constexpr uint32_t kMostWords = 60;  // deeper stacks are not kept

  struct alignas(64) Entry {
    uintptr_t sp;  // 0: free
    uint64_t pc_and_door;
    uint64_t epoch;
    uintptr_t bp;
    uintptr_t bp_mask;  // 0 where RBP does not matter
    RecordedStack stack;
    uint32_t words;  // a multiple of four: the last one is repeated
  };
  static_assert(sizeof(Entry) == 64);

  static uint32_t PlaceOf(const FrameState& at) {
    return static_cast<uint32_t>((at.pc + (at.sp << 13)) * 0x9e3779b97f4a7c15 >> (64 - kPlaceBits));
  }
  static uint64_t PcAndDoor(const FrameState& at, Door door) { return at.pc | static_cast<uint64_t>(door) << 56; }

  Entry entries_[kPlaces];
  StackWord words_[kPlaces][kMostWords];
};

}  // namespace mallocspy

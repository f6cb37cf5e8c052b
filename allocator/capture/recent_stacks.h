// Whole stacks that a thread recorded lately, each found by where it ends: the stack pointer, the return address and the door. A program
// that allocates in turns at several places finds each of them here, whatever lies between. What is found is looked at word by word
// (known_stack.h says why that suffices) before it is believed.
//
// Used by one thread at a time. Zeroed memory is an empty cache.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/capture/known_stack.h"
#include "spy/heap.h"

namespace mallocspy {

class RecentStacks {
 public:
  // The ledger's number of the stack that goes on at `at`, 0 if it is not here. `own` is the thread's own stack.
  uint32_t Find(const FrameState& at, Door door, StackBounds own) {
    const uint32_t place = PlaceOf(at, door);
    const Entry& entry = entries_[place];
    if (entry.sp != at.sp || entry.pc != at.pc || entry.door != door || entry.epoch != g_call_sites.epoch() ||
        (entry.bp_matters && entry.bp != at.bp) || at.sp < own.low || at.sp >= own.high) {
      return 0;
    }
    return CountSameWords(words_[place], entry.words, true) == 0 ? entry.stack : 0;
  }

  // The stack that `known` found last, on the thread's own stack, whole, is number `stack`.
  void Keep(KnownStack* known, Door door, uint32_t stack);

  // The thread's stack is another one now.
  void Forget();

 private:
  static constexpr uint32_t kPlaces = 128;
  static constexpr uint32_t kMostWords = 60;  // deeper stacks are not kept

  struct Entry {
    uintptr_t sp;  // 0: free
    uintptr_t pc;
    uintptr_t bp;
    uint64_t epoch;
    uint32_t stack;
    uint16_t words;
    Door door;
    bool bp_matters;
  };

  static uint32_t PlaceOf(const FrameState& at, Door door) {
    const uint64_t key = at.pc * 0x9e3779b97f4a7c15 ^ (at.sp >> 3) * 0xd6e8feb86659fd93 ^ static_cast<uint64_t>(door) << 32;
    return static_cast<uint32_t>(key >> 32) % kPlaces;
  }

  Entry entries_[kPlaces];
  StackWord words_[kPlaces][kMostWords];
};

}  // namespace mallocspy

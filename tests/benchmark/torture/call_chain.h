// A thread that works like a program does: it goes up and down a call chain and replaces a few tiny blocks at its end.
//
//   Walk, Walk, ... Walk, Leaf      each Walk calls the next one from one of 18 places, the Leaf calls malloc from one
//   of 18
//
// After each visit of the Leaf the chain is left by a few levels, mostly few and sometimes all, and gone down again by
// other places. The places of the innermost four calls are the digits of a number below `stacks`: so many stacks there
// are, and all differ by return addresses alone. Compiled without frame pointers, as distributions do.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace torture {

inline constexpr uint32_t kPlaces = 18;
inline constexpr uint32_t kDigits = 4;
inline constexpr uint32_t kMaxStacks = kPlaces * kPlaces * kPlaces * kPlaces;
inline constexpr uint32_t kSlots = 4096;  // the working set, blocks

// The same statement at each of the places; the number keeps the compiler from making one of them.
#define TORTURE_PLACE(n, statement) \
  case n:                           \
    statement;                      \
    asm volatile("" ::"i"(n));      \
    break;
// clang-format off
#define TORTURE_PLACES(s)                                                                           \
  TORTURE_PLACE(0, s) TORTURE_PLACE(1, s) TORTURE_PLACE(2, s) TORTURE_PLACE(3, s)                   \
  TORTURE_PLACE(4, s) TORTURE_PLACE(5, s) TORTURE_PLACE(6, s) TORTURE_PLACE(7, s)                   \
  TORTURE_PLACE(8, s) TORTURE_PLACE(9, s) TORTURE_PLACE(10, s) TORTURE_PLACE(11, s)                 \
  TORTURE_PLACE(12, s) TORTURE_PLACE(13, s) TORTURE_PLACE(14, s) TORTURE_PLACE(15, s)               \
  TORTURE_PLACE(16, s) TORTURE_PLACE(17, s)
// clang-format on

class CallChain {
 public:
  // `walks` frames of Walk at the deepest, `visits` visits of the Leaf, four blocks each.
  CallChain(uint32_t walks, uint32_t stacks, uint64_t visits, uint32_t seed)
      : walks_(walks), stacks_(stacks), left_(visits), random_(seed * 2654435761u + 1), places_(walks + kDigits, 0) {}
  virtual ~CallChain() = default;

  // Inlined, so that the first Walk's caller is the caller of this.
  __attribute__((always_inline)) void Run() {
    while (left_ > 0) Walk<0>(this, 0);
  }
  // Frees what is left; what was read from the blocks.
  uint64_t Finish() {
    for (Slot& slot : slots_) Drop(slot);
    return sum_;
  }

 protected:
  // Takes over a block that was replaced.
  virtual void Retire(unsigned char* block) { free(block); }

 private:
  struct Slot {
    unsigned char* block;
    uint32_t bytes;
  };

  uint32_t Random() {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 17;
    random_ ^= random_ << 5;
    return random_;
  }

  void Drop(Slot& slot) {
    if (slot.block == nullptr) return;
    sum_ = sum_ * 31 + slot.block[0] + slot.block[slot.bytes - 1];
    Retire(slot.block);
  }

  // Walk is four functions with frames of four sizes, in turn.
  template <uint32_t kKind>
  __attribute__((noinline)) static void Walk(CallChain* chain, uint32_t level) {
    volatile char locals[8 + 24 * kKind];
    locals[0] = static_cast<char>(level);
    for (;;) {
      const Call next = level + 1 == chain->walks_ ? Leaf : Walk<(kKind + 1) % 4>;
      switch (chain->places_[chain->walks_ - level]) { TORTURE_PLACES(next(chain, level + 1)) }
      if (chain->left_ == 0) break;
      if (chain->up_ > 0) {
        --chain->up_;
        break;
      }
    }
    locals[1] = locals[0];
  }

  __attribute__((noinline)) static void Leaf(CallChain* chain, uint32_t) {
    for (int i = 0; i < 4; ++i) {
      Slot& slot = chain->slots_[chain->Random() % kSlots];
      chain->Drop(slot);
      slot.bytes = 16 + chain->Random() % 113;
      void* block = nullptr;
      switch (chain->places_[0]) { TORTURE_PLACES(block = malloc(slot.bytes)) }
      if (block == nullptr) abort();
      slot.block = static_cast<unsigned char*>(block);
      memset(slot.block, static_cast<int>(chain->left_ + i), slot.bytes);
    }
    --chain->left_;
    chain->ChooseWay();
  }

  // Another stack, and how far up the way to it begins.
  void ChooseWay() {
    const uint32_t dice = Random();
    uint32_t range = kPlaces;  // of the digits that may change
    for (uint32_t bits = dice; (bits & 1) != 0 && range < kMaxStacks; bits >>= 1) range *= kPlaces;
    const uint32_t stack = (stack_ - stack_ % range + Random() % range) % stacks_;
    stack_ = stack;
    uint32_t outermost_change = 0;
    uint32_t rest = stack;
    for (uint32_t digit = 0; digit < kDigits; ++digit, rest /= kPlaces) {
      const auto place = static_cast<unsigned char>(rest % kPlaces);
      if (places_[digit] != place) outermost_change = digit;
      places_[digit] = place;
    }
    up_ = outermost_change > 0 ? outermost_change - 1 : 0;
    const uint32_t far =
        (dice >> 8) % 16 == 0 ? (dice >> 12) % walks_ : static_cast<uint32_t>(__builtin_ctz(dice >> 12 | 256));
    if (far > up_) up_ = far;
    if (up_ >= walks_) up_ = walks_ - 1;
  }

  using Call = void (*)(CallChain*, uint32_t);

  const uint32_t walks_;
  const uint32_t stacks_;
  uint64_t left_;  // visits to do
  uint32_t random_;
  uint32_t stack_ = 0;
  uint32_t up_ = 0;  // levels still to leave
  uint64_t sum_ = 0;
  std::vector<unsigned char> places_;  // of the calls, the Leaf's first
  Slot slots_[kSlots] = {};
};

}  // namespace torture

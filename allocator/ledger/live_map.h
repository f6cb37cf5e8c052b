// Which addresses are the start of one of our blocks: a byte for each 16 bytes of address space, in leaves of 256 MiB that
// are mapped when the first block in them is made. A byte, because its owner can write it without regard to its neighbours'.
//
// No header is trusted before its bits were found, so double, wild and foreign frees are told apart without touching the
// memory they name. Private memory: a forked child inherits its blocks with it. Lock-free; any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace mallocspy::ledger {

enum class BlockState : uint8_t {
  kUnknown = 0,  // never one of ours, or reused since
  kLive = 1,
  kFreed = 2,  // was ours; nothing of ours started here since
  kPlain = 3,  // handed out by us without a header, from inside a recorded call
};

class LiveMap {
 public:
  BlockState StateOf(uintptr_t address) const {
    if ((address & (kGrain - 1)) != 0 || address >= kAddressLimit) return BlockState::kUnknown;
    const Leaf* leaf = root_[address >> kLeafShift].load(std::memory_order_acquire);
    if (leaf == nullptr) return BlockState::kUnknown;
    return leaf->states[PlaceOf(address)].load(std::memory_order_relaxed);
  }

  // The caller owns the address: no other thread changes its state meanwhile. False when there is no memory for a new
  // leaf (the block cannot be one of ours then).
  bool SetLive(uintptr_t address) { return Set(address, BlockState::kLive); }

  // The same for a block without a header.
  bool SetPlain(uintptr_t address) { return Set(address, BlockState::kPlain); }

  // From kLive to kFreed; false if it was not live (another thread was first, or it never was).
  bool Claim(uintptr_t address) {
    if (StateOf(address) != BlockState::kLive) return false;
    // Two threads that free one block at a time: only the one that took it goes on.
    BlockState live = BlockState::kLive;
    return StateAt(address).compare_exchange_strong(live, BlockState::kFreed, std::memory_order_acquire);
  }

  // The same for a block that StateOf() says is live and that this thread made: without the atomic operation that tells which of two
  // threads was first.
  void ClaimOwn(uintptr_t address) {
    StateAt(address).store(BlockState::kFreed, std::memory_order_relaxed);
    // Before its header is written over: see fast_path::Call::Make().
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }

  // kFreed or kPlain back to kUnknown; nothing otherwise.
  void Forget(uintptr_t address);

  // Calls visit(address, context) for every live block, ascending. Blocks made or freed meanwhile may be missed.
  void ForEachLive(void (*visit)(uintptr_t address, void* context), void* context) const;

  // The same for every block without a header.
  void ForEachPlain(void (*visit)(uintptr_t address, void* context), void* context) const;

  // The start of the nearest live block at or below `address`, at most `reach` bytes away; 0 for none.
  uintptr_t LiveAtOrBelow(uintptr_t address, size_t reach) const;

 private:
  static constexpr uintptr_t kGrain = 16;
  static constexpr int kLeafShift = 28;
  static constexpr int kAddressBits = 47;  // user addresses of x86-64 with four-level page tables
  static constexpr uintptr_t kAddressLimit = uintptr_t{1} << kAddressBits;
  static constexpr size_t kLeafStates = (size_t{1} << kLeafShift) / kGrain;
  static constexpr size_t kStatesPerPage = 4096;
  static constexpr size_t kPagesAhead = 8;

  struct Leaf {
    // One bit for each page of states that was ever written: the walk at the end skips the others.
    std::atomic<uint64_t> touched[kLeafStates / kStatesPerPage / 64];
    alignas(kStatesPerPage) std::atomic<BlockState> states[kLeafStates];
  };

  static size_t PlaceOf(uintptr_t address) { return (address & ((uintptr_t{1} << kLeafShift) - 1)) / kGrain; }
  // Whether the eight states from `place` on, a multiple of eight, are all unknown: read as one word.
  static bool EightUnknown(const Leaf* leaf, size_t place) {
    return __atomic_load_n(reinterpret_cast<const uint64_t*>(&leaf->states[place]), __ATOMIC_RELAXED) == 0;
  }
  // Of an address whose leaf is there.
  std::atomic<BlockState>& StateAt(uintptr_t address) {
    return root_[address >> kLeafShift].load(std::memory_order_relaxed)->states[PlaceOf(address)];
  }
  void ForEach(BlockState state, void (*visit)(uintptr_t address, void* context), void* context) const;
  Leaf* MakeLeaf(uintptr_t address);
  void Touch(Leaf* leaf, size_t place);
  bool Set(uintptr_t address, BlockState state) {
    Leaf* leaf = root_[address >> kLeafShift].load(std::memory_order_acquire);
    if (__builtin_expect(leaf == nullptr, 0) && (leaf = MakeLeaf(address)) == nullptr) return false;
    const size_t place = PlaceOf(address);
    // A page whose states were written before is known to be touched.
    if (__builtin_expect(leaf->states[place].load(std::memory_order_relaxed) == BlockState::kUnknown, 0)) Touch(leaf, place);
    leaf->states[place].store(state, std::memory_order_release);
    return true;
  }

  std::atomic<Leaf*> root_[size_t{1} << (kAddressBits - kLeafShift)] = {};
  // Leaves in the order of their making, so that walks need not read the root.
  static constexpr size_t kListedLeaves = 4096;
  std::atomic<uint32_t> leaf_numbers_[kListedLeaves] = {};  // number + 1
  std::atomic<uint32_t> leaf_count_{0};
};

extern LiveMap g_live_map;

}  // namespace mallocspy::ledger

// Which addresses are the start of one of our blocks: two bits for each 16 bytes of address space, in leaves of 1 GiB that
// are mapped when the first block in them is made.
//
// No header is trusted before its bits were found, so double, wild and foreign frees are told apart without touching the
// memory they name. Private memory: a forked child inherits its blocks with it. Lock-free; any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace mallocspy::ledger {

enum class BlockState : uint64_t {
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
    return static_cast<BlockState>(leaf->words[WordOf(address)].load(std::memory_order_relaxed) >> BitOf(address) & 3);
  }

  // The caller owns the address: no other thread changes its state meanwhile. False when there is no memory for a new
  // leaf (the block cannot be one of ours then).
  bool SetLive(uintptr_t address);

  // The same for a block without a header.
  bool SetPlain(uintptr_t address);

  // From kLive to kFreed; false if it was not live (another thread was first, or it never was).
  bool Claim(uintptr_t address);

  // kFreed or kPlain back to kUnknown; nothing otherwise.
  void Forget(uintptr_t address);

  // Calls visit(address, context) for every live block, ascending within a leaf. Blocks made or freed meanwhile may be missed.
  void ForEachLive(void (*visit)(uintptr_t address, void* context), void* context) const;

  // The start of the nearest live block at or below `address`, at most `reach` bytes away; 0 for none.
  uintptr_t LiveAtOrBelow(uintptr_t address, size_t reach) const;

 private:
  static constexpr uintptr_t kGrain = 16;
  static constexpr int kLeafShift = 30;
  static constexpr int kAddressBits = 47;  // user addresses of x86-64 with four-level page tables
  static constexpr uintptr_t kAddressLimit = uintptr_t{1} << kAddressBits;
  static constexpr size_t kLeafWords = (size_t{1} << kLeafShift) / kGrain * 2 / 64;
  static constexpr size_t kWordsPerPage = 512;

  struct Leaf {
    // One bit for each page of words that was ever written: the walk at the end skips the others.
    std::atomic<uint64_t> touched[kLeafWords / kWordsPerPage / 64];
    std::atomic<uint64_t> words[kLeafWords];
  };

  static size_t WordOf(uintptr_t address) { return (address & ((uintptr_t{1} << kLeafShift) - 1)) / kGrain / 32; }
  static int BitOf(uintptr_t address) { return static_cast<int>(address / kGrain % 32 * 2); }
  Leaf* MakeLeaf(uintptr_t address);
  bool Set(uintptr_t address, BlockState state);

  std::atomic<Leaf*> root_[size_t{1} << (kAddressBits - kLeafShift)] = {};
  // Leaves in the order of their making, so that walks need not read the root.
  static constexpr size_t kListedLeaves = 4096;
  std::atomic<uint32_t> leaf_numbers_[kListedLeaves] = {};  // number + 1
  std::atomic<uint32_t> leaf_count_{0};
};

extern LiveMap g_live_map;

}  // namespace mallocspy::ledger

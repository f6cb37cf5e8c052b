#include "allocator/ledger/live_map.h"

#include "allocator/system/os_memory.h"

namespace mallocspy::ledger {

constinit LiveMap g_live_map;

void LiveMap::Touch(Leaf* leaf, size_t place) {
  const size_t page = place / kStatesPerPage;
  std::atomic<uint64_t>& touched = leaf->touched[page / 64];
  const uint64_t bit = uint64_t{1} << (page % 64);
  const uint64_t before = touched.load(std::memory_order_relaxed);
  if ((before & bit) != 0) return;
  touched.fetch_or(bit, std::memory_order_relaxed);
  // A heap that has grown up to here will probably grow on.
  if (page % kPagesAhead == 0 && (before & bit >> 1) != 0) Populate(&leaf->states[page * kStatesPerPage], kPagesAhead * kStatesPerPage);
}

LiveMap::Leaf* LiveMap::MakeLeaf(uintptr_t address) {
  Leaf* made = static_cast<Leaf*>(MapPrivate(sizeof(Leaf)));
  if (made == nullptr) return nullptr;
  Leaf* winner = nullptr;
  if (!root_[address >> kLeafShift].compare_exchange_strong(winner, made, std::memory_order_acq_rel)) {
    Unmap(made, sizeof(Leaf));
    return winner;
  }
  const uint32_t place = leaf_count_.fetch_add(1, std::memory_order_relaxed);
  if (place < kListedLeaves) {
    leaf_numbers_[place].store(static_cast<uint32_t>(address >> kLeafShift) + 1, std::memory_order_release);
  }
  return made;
}

void LiveMap::Forget(uintptr_t address) {
  if (const BlockState state = StateOf(address); state != BlockState::kFreed && state != BlockState::kPlain) return;
  StateAt(address).store(BlockState::kUnknown, std::memory_order_relaxed);
}

void LiveMap::ForEach(BlockState state, void (*visit)(uintptr_t address, void* context), void* context) const {
  const auto walk = [&](size_t number) {
    const Leaf* leaf = root_[number].load(std::memory_order_acquire);
    if (leaf == nullptr) return;
    for (size_t page = 0; page < kLeafStates / kStatesPerPage; ++page) {
      if ((leaf->touched[page / 64].load(std::memory_order_relaxed) >> (page % 64) & 1) == 0) continue;
      for (size_t place = page * kStatesPerPage; place < (page + 1) * kStatesPerPage; ++place) {
        if (place % 8 == 0 && EightUnknown(leaf, place)) {
          place += 7;
        } else if (leaf->states[place].load(std::memory_order_relaxed) == state) {
          visit((static_cast<uintptr_t>(number) << kLeafShift) + place * kGrain, context);
        }
      }
    }
  };
  const uint32_t leaves = leaf_count_.load(std::memory_order_acquire);
  if (leaves > kListedLeaves) {
    for (size_t number = 0; number < sizeof(root_) / sizeof(root_[0]); ++number) walk(number);
    return;
  }
  // They are few, and listed in the order of their making.
  for (uint32_t done = 0;;) {
    uint32_t next = UINT32_MAX;
    for (uint32_t i = 0; i < leaves; ++i) {
      const uint32_t number = leaf_numbers_[i].load(std::memory_order_acquire);
      if (number > done && number < next) next = number;
    }
    if (next == UINT32_MAX) return;
    walk(next - 1);
    done = next;
  }
}

void LiveMap::ForEachLive(void (*visit)(uintptr_t address, void* context), void* context) const {
  ForEach(BlockState::kLive, visit, context);
}

void LiveMap::ForEachPlain(void (*visit)(uintptr_t address, void* context), void* context) const {
  ForEach(BlockState::kPlain, visit, context);
}

uintptr_t LiveMap::LiveAtOrBelow(uintptr_t address, size_t reach) const {
  if (address >= kAddressLimit) return 0;
  const uintptr_t lowest = address > reach ? address - reach : 0;
  for (uintptr_t at = address & ~(kGrain - 1); at >= lowest;) {
    const Leaf* leaf = root_[at >> kLeafShift].load(std::memory_order_acquire);
    uintptr_t searched = at;  // from here up nothing lives
    if (leaf == nullptr) {
      searched &= ~((uintptr_t{1} << kLeafShift) - 1);
    } else if (EightUnknown(leaf, PlaceOf(at) & ~size_t{7})) {
      searched &= ~(kGrain * 8 - 1);
    } else if (StateOf(at) == BlockState::kLive) {
      return at;
    }
    if (searched == 0) return 0;  // below it the numbers would wrap around
    at = searched - kGrain;
  }
  return 0;
}

}  // namespace mallocspy::ledger

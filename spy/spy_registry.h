// Who is in the chain: up to kMaxSpies spies, each in a slot of its own, with its own count of live blocks that it
// spied and its own pending revoke.
//
//   free --Reserve--> joining --Activate--> active --Revoke--> revoking --(nothing outstanding)--> free
//                        '------Cancel-------> free
//
// A slot is free again only when none of its blocks is live, so a bit in a block's spied set always means the spy that
// is in the slot now.
//
// Used under the spy lock, but for Active() and SeesDoor().
#pragma once

#include <atomic>
#include <cstdint>

#include "spy/heap.h"
#include "spy/malloc_spy.h"

namespace mallocspy {

// The spies that one call concerns, outermost first, as they were at its start.
struct SpyRoster {
  int count = 0;
  int slot[kMaxSpies];
  IMallocSpy* spy[kMaxSpies];

  SpiedBy Bit(int i) const { return static_cast<SpiedBy>(1u << slot[i]); }
};

class SpyRegistry {
 public:
  enum class Kind : uint8_t {
    kCom,    // CoRegisterMallocSpy's: one at a time
    kChain,  // mallocspy_add_spy's and mallocspy_add_hooks'
  };

  constexpr SpyRegistry() = default;
  SpyRegistry(const SpyRegistry&) = delete;
  SpyRegistry& operator=(const SpyRegistry&) = delete;

  // Takes a slot, the outermost in the chain, for the object that the caller gave. CO_E_OBJISREG: it has one, or `kind`
  // is kCom and the COM spy's place is taken. E_OUTOFMEMORY: no slot is free.
  HRESULT Reserve(IMallocSpy* given, Kind kind, bool sees_malloc, int* slot);
  // The reserved slot's spy is `spy`, with a reference that is ours. CO_E_OBJISREG: it is in another slot.
  HRESULT Activate(int slot, IMallocSpy* spy);
  void Cancel(int slot);
  // In the child of a fork: those who were joining are not there.
  void CancelJoining();

  // The slot of the COM spy; kNoSlot if there is none or it is still joining.
  int ComSlot() const;
  // The slot of the chain's spy that was given as this; kNoSlot as above.
  int ChainSlot(const IMallocSpy* given) const;
  static constexpr int kNoSlot = -1;

  void Revoke(int slot);
  // Whether a revoke is pending with nothing outstanding.
  bool HasReleasable() const;
  // Ends the slot's revoke if nothing is outstanding: its spy, which the caller releases when it has dropped the lock.
  // Null if the slot has no such revoke.
  IMallocSpy* TakeReleasable(int slot);

  // One more (fewer) live block is spied by these.
  void BlockCame(SpiedBy spies);
  void BlockWent(SpiedBy spies);

  // Overrules every spy's own wish to see malloc.
  void SetHookMalloc(bool on);

  // Those to call: the active ones that see the door, and every one in `spied_by`.
  SpyRoster Roster(Door door, SpiedBy spied_by) const;

  bool Active() const { return doors_.load(std::memory_order_relaxed) != 0; }
  bool SeesDoor(Door door) const {
    const uint32_t shift = door == Door::kTask ? kTaskShift : kMallocShift;
    return ((doors_.load(std::memory_order_relaxed) >> shift) & kSlotsMask) != 0;
  }

 private:
  enum class State : uint8_t { kFree, kJoining, kActive, kRevoking };
  enum class HookMalloc : uint8_t { kEachSpy, kOff, kOn };

  struct Slot {
    const IMallocSpy* given = nullptr;
    IMallocSpy* spy = nullptr;
    uint64_t outstanding = 0;  // live blocks it spied
    State state = State::kFree;
    Kind kind = Kind::kChain;
    bool sees_malloc = false;
  };

  // doors_: three sets of slots.
  static constexpr uint32_t kSlotsMask = 0xff;
  static constexpr uint32_t kTaskShift = 8;     // those that see new blocks of the task door
  static constexpr uint32_t kMallocShift = 16;  // those that see new blocks of the other doors
  static_assert(kMaxSpies <= 8);

  static bool IsReleasable(const Slot& slot) { return slot.state == State::kRevoking && slot.outstanding == 0; }
  bool SeesMalloc(const Slot& slot) const;
  void Free(int slot);
  void Publish();

  Slot slots_[kMaxSpies];
  int order_[kMaxSpies] = {};  // slots in use, outermost first
  int in_use_ = 0;
  HookMalloc hook_malloc_ = HookMalloc::kEachSpy;
  std::atomic<uint32_t> doors_{0};  // from bit 0: those that are active or revoking
};

}  // namespace mallocspy

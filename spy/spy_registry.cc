#include "spy/spy_registry.h"

namespace mallocspy {

HRESULT SpyRegistry::Reserve(IMallocSpy* given, Kind kind, bool sees_malloc, int* slot) {
  int free_slot = kNoSlot;
  for (int i = kMaxSpies - 1; i >= 0; --i) {
    const Slot& other = slots_[i];
    if (other.state == State::kFree) {
      free_slot = i;
    } else if (other.given == given || other.spy == given || (kind == Kind::kCom && other.kind == Kind::kCom)) {
      return CO_E_OBJISREG;
    }
  }
  if (free_slot == kNoSlot) return E_OUTOFMEMORY;
  Slot& taken = slots_[free_slot];
  taken.given = given;
  taken.spy = nullptr;
  taken.outstanding = 0;
  taken.state = State::kJoining;
  taken.kind = kind;
  taken.sees_malloc = sees_malloc;
  for (int i = in_use_; i > 0; --i) order_[i] = order_[i - 1];
  order_[0] = free_slot;
  ++in_use_;
  *slot = free_slot;
  return S_OK;
}

HRESULT SpyRegistry::Activate(int slot, IMallocSpy* spy) {
  for (int i = 0; i < kMaxSpies; ++i) {
    if (i != slot && slots_[i].state != State::kFree && slots_[i].spy == spy) return CO_E_OBJISREG;
  }
  slots_[slot].spy = spy;
  slots_[slot].state = State::kActive;
  Publish();
  return S_OK;
}

void SpyRegistry::Cancel(int slot) { Free(slot); }

void SpyRegistry::CancelJoining() {
  for (int i = 0; i < kMaxSpies; ++i) {
    if (slots_[i].state == State::kJoining) Free(i);
  }
}

void SpyRegistry::Free(int slot) {
  slots_[slot] = Slot{};
  int kept = 0;
  for (int i = 0; i < in_use_; ++i) {
    if (order_[i] != slot) order_[kept++] = order_[i];
  }
  in_use_ = kept;
  Publish();
}

int SpyRegistry::ComSlot() const {
  for (int i = 0; i < kMaxSpies; ++i) {
    const Slot& slot = slots_[i];
    if (slot.kind == Kind::kCom && (slot.state == State::kActive || slot.state == State::kRevoking)) return i;
  }
  return kNoSlot;
}

int SpyRegistry::ChainSlot(const IMallocSpy* given) const {
  for (int i = 0; i < kMaxSpies; ++i) {
    const Slot& slot = slots_[i];
    if (slot.kind == Kind::kChain && (slot.state == State::kActive || slot.state == State::kRevoking) &&
        slot.given == given) {
      return i;
    }
  }
  return kNoSlot;
}

void SpyRegistry::Revoke(int slot) {
  slots_[slot].state = State::kRevoking;
  Publish();
}

bool SpyRegistry::HasReleasable() const {
  for (const Slot& slot : slots_) {
    if (IsReleasable(slot)) return true;
  }
  return false;
}

IMallocSpy* SpyRegistry::TakeReleasable(int slot) {
  if (!IsReleasable(slots_[slot])) return nullptr;
  IMallocSpy* spy = slots_[slot].spy;
  Free(slot);
  return spy;
}

void SpyRegistry::BlockCame(SpiedBy spies) {
  for (int i = 0; i < kMaxSpies; ++i) {
    if ((spies >> i) & 1) ++slots_[i].outstanding;
  }
}

void SpyRegistry::BlockWent(SpiedBy spies) {
  for (int i = 0; i < kMaxSpies; ++i) {
    // A count of 0 is possible in the child of a fork that happened while another thread was here.
    if (((spies >> i) & 1) && slots_[i].outstanding > 0) --slots_[i].outstanding;
  }
}

bool SpyRegistry::SeesMalloc(const Slot& slot) const {
  return hook_malloc_ == HookMalloc::kEachSpy ? slot.sees_malloc : hook_malloc_ == HookMalloc::kOn;
}

void SpyRegistry::SetHookMalloc(bool on) {
  hook_malloc_ = on ? HookMalloc::kOn : HookMalloc::kOff;
  Publish();
}

SpyRoster SpyRegistry::Roster(Door door, SpiedBy spied_by) const {
  SpyRoster roster;
  for (int i = 0; i < in_use_; ++i) {
    const int index = order_[i];
    const Slot& slot = slots_[index];
    const bool spied = (spied_by >> index) & 1;
    const bool sees = slot.state == State::kActive && (door == Door::kTask || SeesMalloc(slot));
    if (!spied && !sees) continue;
    roster.slot[roster.count] = index;
    roster.spy[roster.count] = slot.spy;
    ++roster.count;
  }
  return roster;
}

void SpyRegistry::Publish() {
  uint32_t doors = 0;
  for (int i = 0; i < kMaxSpies; ++i) {
    const Slot& slot = slots_[i];
    const uint32_t bit = 1u << i;
    if (slot.state == State::kActive) {
      doors |= bit | bit << kTaskShift;
      if (SeesMalloc(slot)) doors |= bit << kMallocShift;
    } else if (slot.state == State::kRevoking) {
      doors |= bit;
    }
  }
  doors_.store(doors, std::memory_order_relaxed);
}

}  // namespace mallocspy

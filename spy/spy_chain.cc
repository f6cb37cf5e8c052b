#include "spy/spy_chain.h"

#include <errno.h>
#include <string.h>

#include "spy/spy_call.h"

namespace mallocspy {

constinit SpyChain spy_chain;

constinit thread_local SpyThread spy_thread = {};

class SpyChain::Locked {
 public:
  explicit Locked(SpyChain& chain) : chain_(chain), taken_(!spy_thread.holds_lock) {
    if (!taken_) return;
    chain_.lock_.Lock();
    spy_thread.holds_lock = true;
  }
  ~Locked() {
    if (!taken_) return;
    spy_thread.holds_lock = false;
    chain_.lock_.Unlock();
  }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  SpyChain& chain_;
  const bool taken_;
};

// In-spy is set before the lock is asked for: a signal handler that allocates meanwhile must not ask for it again.
class SpyChain::Stay {
 public:
  explicit Stay(SpyChain& chain) : chain_(chain), errno_(errno) {
    ++spy_thread.depth;
    chain_.lock_.Lock();
    spy_thread.holds_lock = true;
  }
  ~Stay() {
    const bool revoked = chain_.registry_.HasReleasable();
    spy_thread.holds_lock = false;
    chain_.lock_.Unlock();
    spy_thread.frame = nullptr;
    if (revoked) chain_.ReleaseRevoked();
    --spy_thread.depth;
    errno = errno_;
  }
  Stay(const Stay&) = delete;
  Stay& operator=(const Stay&) = delete;

  void* Result(void* pointer, Door door) {
    if (pointer == nullptr && door != Door::kTask) errno_ = ENOMEM;
    return pointer;
  }

 private:
  SpyChain& chain_;
  int errno_;
};

bool SpyChain::Concerns(Heap& heap, const void* pointer, Door door) const {
  if (SeesDoor(door)) return true;
  if (!Active() || pointer == nullptr) return false;
  return heap.SpiedSet(pointer) != 0 || (HasShifted() && !heap.IsLive(pointer));
}

void* SpyChain::Allocate(Heap& heap, size_t bytes, const Request& request) {
  if (InSpy() || !SeesDoor(request.door)) return heap.Allocate(bytes, request);
  Stay stay(*this);
  return stay.Result(SpyCall(*this, heap, request).Allocate(bytes), request.door);
}

void* SpyChain::Reallocate(Heap& heap, void* pointer, size_t bytes, const Request& request) {
  if (InSpy()) return ReallocateInSpy(heap, pointer, bytes, request);
  if (!Concerns(heap, pointer, request.door)) {
    if (pointer == nullptr) return heap.Allocate(bytes, request);
    if (bytes != 0) return heap.Reallocate(pointer, bytes, request);
    heap.Deallocate(pointer, request);
    return nullptr;
  }
  Stay stay(*this);
  void* result = SpyCall(*this, heap, request).Reallocate(pointer, bytes);
  // NULL is no failure where the block was to be freed.
  return pointer != nullptr && bytes == 0 ? nullptr : stay.Result(result, request.door);
}

void SpyChain::Deallocate(Heap& heap, void* pointer, const Request& request) {
  if (pointer == nullptr) return;
  if (InSpy()) return DeallocateInSpy(heap, pointer, request);
  if (!Concerns(heap, pointer, request.door)) return heap.Deallocate(pointer, request);
  Stay stay(*this);
  SpyCall(*this, heap, request).Deallocate(pointer);
}

size_t SpyChain::SizeOf(Heap& heap, void* pointer, Door door) {
  if (pointer == nullptr) return static_cast<size_t>(-1);
  if (InSpy()) return SizeOfInSpy(heap, pointer);
  if (!Concerns(heap, pointer, door)) return heap.SizeOf(pointer);
  const Request request{.door = door};
  Stay stay(*this);
  return SpyCall(*this, heap, request).SizeOf(pointer);
}

int SpyChain::DidAlloc(Heap& heap, void* pointer, Door door) {
  if (pointer == nullptr) return -1;
  if (InSpy()) return DidAllocInSpy(heap, pointer);
  if (!Concerns(heap, pointer, door)) return heap.IsLive(pointer) ? 1 : 0;
  const Request request{.door = door};
  Stay stay(*this);
  return SpyCall(*this, heap, request).DidAlloc(pointer);
}

void SpyChain::Minimize(Heap& heap, Door door) {
  if (InSpy() || !SeesDoor(door)) return heap.Minimize();
  const Request request{.door = door};
  Stay stay(*this);
  SpyCall(*this, heap, request).Minimize();
}

void SpyChain::Forget(Heap& heap, void* block) {
  const SpiedBy spies = heap.SpiedSet(block);
  if (spies != 0) {
    registry_.BlockWent(spies);
    heap.SetSpiedSet(block, 0);
  }
  aliases_.RemoveAll(block);
}

// The revoke that this may complete is completed by the end of the stay that this thread is in.
void SpyChain::DeallocateInSpy(Heap& heap, void* pointer, const Request& request) {
  void* block = pointer;
  if (HasShifted() || heap.SpiedSet(pointer) != 0) {
    Locked locked(*this);
    if (const AliasTable::Entry* entry = aliases_.Find(pointer)) block = entry->block;
    Forget(heap, block);
  }
  // A spy frees what it took over through the task allocator, whatever door the program had used.
  Request unjudged = request;
  if (request.door == Door::kTask) unjudged.door = Door::kNone;
  heap.Deallocate(block, unjudged);
}

void* SpyChain::ReallocateInSpy(Heap& heap, void* pointer, size_t bytes, const Request& request) {
  if (pointer == nullptr) return heap.Allocate(bytes, request);
  if (bytes == 0) {
    DeallocateInSpy(heap, pointer, request);
    return nullptr;
  }
  if (!HasShifted() && heap.SpiedSet(pointer) == 0) return heap.Reallocate(pointer, bytes, request);
  Locked locked(*this);
  const AliasTable::Entry* entry = aliases_.Find(pointer);
  void* block = entry == nullptr ? pointer : entry->block;
  if (block == pointer) {
    void* result = heap.Reallocate(block, bytes, request);
    if (result == nullptr) return nullptr;
    // The new block is the spy's own and no spied one. The old start is a key only: it is not looked at.
    const SpiedBy spies = heap.SpiedSet(result);
    registry_.BlockWent(spies);
    if (spies != 0) heap.SetSpiedSet(result, 0);
    aliases_.RemoveAll(block);
    return result;
  }
  // What stands behind an alias is to move to the start of a block.
  const size_t shift = static_cast<size_t>(static_cast<char*>(pointer) - static_cast<char*>(block));
  const size_t old_bytes = heap.SizeOf(block) - shift;
  void* result = heap.Allocate(bytes, request);
  if (result == nullptr) return nullptr;
  memcpy(result, pointer, old_bytes < bytes ? old_bytes : bytes);
  DeallocateInSpy(heap, block, request);
  return result;
}

size_t SpyChain::SizeOfInSpy(Heap& heap, void* pointer) {
  if (!HasShifted()) return heap.SizeOf(pointer);
  Locked locked(*this);
  const AliasTable::Entry* entry = aliases_.Find(pointer);
  if (entry == nullptr) return heap.SizeOf(pointer);
  const size_t shift = static_cast<size_t>(static_cast<char*>(pointer) - static_cast<char*>(entry->block));
  return heap.SizeOf(entry->block) - shift;
}

int SpyChain::DidAllocInSpy(Heap& heap, void* pointer) {
  if (!HasShifted()) return heap.IsLive(pointer) ? 1 : 0;
  Locked locked(*this);
  return aliases_.Find(pointer) != nullptr || heap.IsLive(pointer) ? 1 : 0;
}

// ---- Registration ----

HRESULT SpyChain::RegisterComSpy(IMallocSpy* spy) {
  if (spy == nullptr) return E_INVALIDARG;
  return Join(spy, SpyRegistry::Kind::kCom, false);
}

HRESULT SpyChain::Add(IMallocSpy* spy, unsigned flags) {
  if (spy == nullptr || (flags & ~static_cast<unsigned>(MALLOCSPY_SEE_MALLOC)) != 0) return E_INVALIDARG;
  return Join(spy, SpyRegistry::Kind::kChain, (flags & MALLOCSPY_SEE_MALLOC) != 0);
}

HRESULT SpyChain::RevokeComSpy() { return Leave(SpyRegistry::Kind::kCom, nullptr); }

HRESULT SpyChain::Remove(IMallocSpy* spy) { return Leave(SpyRegistry::Kind::kChain, spy); }

// The spy is asked for its interface without the lock, which a reserved place makes safe. Only if a spy's method
// registers another spy the lock stays held, by this thread's call.
HRESULT SpyChain::Join(IMallocSpy* given, SpyRegistry::Kind kind, bool sees_malloc) {
  int slot;
  {
    Locked locked(*this);
    const HRESULT reserved = registry_.Reserve(given, kind, sees_malloc, &slot);
    if (FAILED(reserved)) return reserved;
  }
  const InSpyScope in_spy;
  void* interface_pointer = nullptr;
  const HRESULT answer = given->QueryInterface(IID_IMallocSpy, &interface_pointer);
  IMallocSpy* const spy = SUCCEEDED(answer) ? static_cast<IMallocSpy*>(interface_pointer) : nullptr;
  HRESULT result = E_INVALIDARG;
  {
    Locked locked(*this);
    if (spy != nullptr) result = registry_.Activate(slot, spy);
    if (FAILED(result)) registry_.Cancel(slot);
  }
  if (spy != nullptr && FAILED(result)) spy->Release();
  ReleaseRevoked();
  return result;
}

HRESULT SpyChain::Leave(SpyRegistry::Kind kind, const IMallocSpy* given) {
  // In a spy's method: the call under way still needs every spy that it has entered, so the revoke waits for its end.
  const bool in_call = spy_thread.holds_lock;
  IMallocSpy* spy = nullptr;
  {
    Locked locked(*this);
    const int slot = kind == SpyRegistry::Kind::kCom ? registry_.ComSlot() : registry_.ChainSlot(given);
    if (slot == SpyRegistry::kNoSlot) return CO_E_OBJNOTREG;
    registry_.Revoke(slot);
    if (!in_call) spy = registry_.TakeReleasable(slot);
  }
  if (spy == nullptr) return E_ACCESSDENIED;
  const InSpyScope in_spy;
  spy->Release();
  ReleaseRevoked();
  return S_OK;
}

void SpyChain::ReleaseRevoked() {
  while (!spy_thread.holds_lock) {
    IMallocSpy* spy = nullptr;
    {
      Locked locked(*this);
      for (int slot = 0; slot < kMaxSpies && spy == nullptr; ++slot) spy = registry_.TakeReleasable(slot);
    }
    if (spy == nullptr) return;
    spy->Release();
  }
}

void SpyChain::SetHookMalloc(bool on) {
  Locked locked(*this);
  registry_.SetHookMalloc(on);
}

void SpyChain::ResetLockAfterFork() {
  if (spy_thread.holds_lock) return;
  lock_.Reset();
  if (!InSpy()) registry_.CancelJoining();
}

}  // namespace mallocspy

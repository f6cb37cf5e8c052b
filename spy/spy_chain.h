// The chain of spies: everything between a request and the heap.
//
//   door -> SpyChain -> outermost spy's Pre -> ... -> innermost Pre -> Heap -> innermost Post -> ... -> outermost Post
//
// The caller of these functions is the wrapping allocator, behind `if (spy_chain.Active())`: with no spy registered
// that is one relaxed load and no lock. A call that concerns no spy goes on to the heap without the lock. All are safe
// to call from any thread, also from a spy's method (such calls bypass the spies), with any pointer.
//
// Pointers. Pointers that come in and go out are the program's; the heap gets and gives starts of blocks. They differ
// where a spy moved them, see alias_table.h.
#pragma once

#include <cstddef>

#include "spy/alias_table.h"
#include "spy/futex_lock.h"
#include "spy/heap.h"
#include "spy/malloc_spy.h"
#include "spy/spy_registry.h"
#include "spy/spy_thread.h"

namespace mallocspy {

class SpyChain {
 public:
  constexpr SpyChain() = default;
  SpyChain(const SpyChain&) = delete;
  SpyChain& operator=(const SpyChain&) = delete;

  // Whether any spy is registered or has a pending revoke.
  bool Active() const { return registry_.Active(); }
  // Whether a new block of this door would be seen by a spy.
  bool SeesDoor(Door door) const { return registry_.SeesDoor(door); }
  // Whether a pointer that is no live block's start could be one that a spy moved.
  bool HasShifted() const { return aliases_.count() != 0; }
  // Whether a spy moved a block's start to `pointer`. While no other thread runs.
  bool IsShifted(const void* pointer) const {
    const AliasTable::Entry* entry = aliases_.Find(pointer);
    return entry != nullptr && entry->slot != AliasTable::kStart;
  }
  // Whether this thread is in a spy (or on its way in or out).
  static bool InSpy() { return spy_thread.depth != 0; }
  // Tells of the program's call of a door, before it goes into the chain; see mallocspy_caller. Within a spy it changes nothing.
  static void SetCall(const DoorFrame* frame) {
    if (!InSpy()) spy_thread.frame = frame;
  }

  // The operations. errno is kept; a failure through a door other than the task door sets ENOMEM.
  void* Allocate(Heap& heap, size_t bytes, const Request& request);
  // Also as the contract has it: of NULL it allocates; to 0 bytes it frees and returns NULL.
  void* Reallocate(Heap& heap, void* pointer, size_t bytes, const Request& request);
  // Of NULL does nothing. A block that is not the one that the program gave (a spy exchanged it, or freed it in its own
  // method through the task door) comes to the heap with Door::kNone: how it was made is not to be judged.
  void Deallocate(Heap& heap, void* pointer, const Request& request);
  // (size_t)-1 for what is no live block.
  size_t SizeOf(Heap& heap, void* pointer, Door door);
  // 1: a live block; 0: not; -1: NULL.
  int DidAlloc(Heap& heap, void* pointer, Door door);
  void Minimize(Heap& heap, Door door);

  // Registration; see CoRegisterMallocSpy, CoRevokeMallocSpy, mallocspy_add_spy, mallocspy_remove_spy.
  HRESULT RegisterComSpy(IMallocSpy* spy);
  HRESULT RevokeComSpy();
  HRESULT Add(IMallocSpy* spy, unsigned flags);
  HRESULT Remove(IMallocSpy* spy);
  // The option hook_malloc was given: all spies see malloc, or none does, whatever their flags.
  void SetHookMalloc(bool on);

  // In the child of a fork, before anything else: whoever held the lock is not there, unless it is this thread.
  void ResetLockAfterFork();
  // Gives the memory of the aliases back; for tests.
  void ReleaseMemory() { aliases_.ReleaseMemory(); }

 private:
  friend class SpyCall;
  // Holds the lock, unless this thread has it already.
  class Locked;
  // One stay of this thread in the spies, from entry to the release of those whose revoke it completed.
  class Stay;

  bool Concerns(Heap& heap, const void* pointer, Door door) const;
  HRESULT Join(IMallocSpy* given, SpyRegistry::Kind kind, bool sees_malloc);
  HRESULT Leave(SpyRegistry::Kind kind, const IMallocSpy* given);
  // Completes the revokes that can be. Without the lock, marked as in a spy; in a spy's method it does nothing: the
  // call under way does it at its end.
  void ReleaseRevoked();
  // `block` is about to go: nothing of the spies' knowledge of it stays. Under the lock.
  void Forget(Heap& heap, void* block);

  // Calls made in a spy's method. Pointers may be the program's, any alias or a start.
  void* ReallocateInSpy(Heap& heap, void* pointer, size_t bytes, const Request& request);
  void DeallocateInSpy(Heap& heap, void* pointer, const Request& request);
  size_t SizeOfInSpy(Heap& heap, void* pointer);
  int DidAllocInSpy(Heap& heap, void* pointer);

  FutexLock lock_;
  SpyRegistry registry_;  // under lock_, but for what it says
  AliasTable aliases_;    // under lock_, but for count()
};

// The process's chain. Constant-initialised, because the first allocations come before every constructor, and never
// destroyed, because the last ones come after every destructor.
extern constinit SpyChain spy_chain;

}  // namespace mallocspy

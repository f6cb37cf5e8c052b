#include "allocator/entrance.h"

#include "allocator/stack_recorder.h"

namespace mallocspy::entrance {

// A spy's own calls, under the lock already, record their caller only.
void* AllocateSpied(size_t bytes, const Request& request, const void* caller) {
  SpyChain::SetCaller(caller);
  const StackPreparation prepared(caller, SpyChain::InSpy());
  return spy_chain.Allocate(g_heap, bytes, request);
}

void DeallocateSpied(void* block, Door door, const void* caller) {
  if (block == nullptr) return;
  SpyChain::SetCaller(caller);
  const StackPreparation prepared(caller, SpyChain::InSpy());
  spy_chain.Deallocate(g_heap, block, {.door = door});
}

void* ReallocateSpied(void* block, size_t bytes, Door door, const void* caller) {
  SpyChain::SetCaller(caller);
  const StackPreparation prepared(caller, SpyChain::InSpy());
  return spy_chain.Reallocate(g_heap, block, bytes, {.door = door});
}

size_t SizeOfSpied(void* block, Door door, const void* caller) {
  SpyChain::SetCaller(caller);
  const StackPreparation prepared(caller, SpyChain::InSpy());
  return spy_chain.SizeOf(g_heap, block, door);
}

int DidAllocSpied(void* block, Door door, const void* caller) {
  SpyChain::SetCaller(caller);
  const StackPreparation prepared(caller, SpyChain::InSpy());
  return spy_chain.DidAlloc(g_heap, block, door);
}

void MinimizeSpied(Door door, const void* caller) {
  SpyChain::SetCaller(caller);
  spy_chain.Minimize(g_heap, door);
}

}  // namespace mallocspy::entrance

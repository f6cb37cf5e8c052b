#include "allocator/entrance.h"

#include "allocator/stack_recorder.h"

namespace mallocspy::entrance {

// A spy's own calls, under the lock already, record their caller only.
void* AllocateSpied(size_t bytes, const Request& request, const DoorFrame* frame) {
  SpyChain::SetCall(frame);
  const StackPreparation prepared(frame, SpyChain::InSpy());
  return spy_chain.Allocate(g_heap, bytes, request);
}

void DeallocateSpied(void* block, Door door, const DoorFrame* frame) {
  if (block == nullptr) return;
  SpyChain::SetCall(frame);
  const StackPreparation prepared(frame, SpyChain::InSpy());
  spy_chain.Deallocate(g_heap, block, {.door = door, .frame = frame});
}

void* ReallocateSpied(void* block, size_t bytes, Door door, const DoorFrame* frame) {
  SpyChain::SetCall(frame);
  const StackPreparation prepared(frame, SpyChain::InSpy());
  return spy_chain.Reallocate(g_heap, block, bytes, {.door = door, .frame = frame});
}

size_t SizeOfSpied(void* block, Door door, const DoorFrame* frame) {
  SpyChain::SetCall(frame);
  const StackPreparation prepared(frame, SpyChain::InSpy());
  return spy_chain.SizeOf(g_heap, block, door);
}

int DidAllocSpied(void* block, Door door, const DoorFrame* frame) {
  SpyChain::SetCall(frame);
  const StackPreparation prepared(frame, SpyChain::InSpy());
  return spy_chain.DidAlloc(g_heap, block, door);
}

void MinimizeSpied(Door door, const DoorFrame* frame) {
  SpyChain::SetCall(frame);
  spy_chain.Minimize(g_heap, door);
}

}  // namespace mallocspy::entrance

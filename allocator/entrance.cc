#include "allocator/entrance.h"

#include "allocator/heap_sweep.h"
#include "allocator/stack_recorder.h"

namespace mallocspy::entrance {

void* AllocateSlowly(size_t bytes, Door door, size_t alignment, bool zeroed, const DoorFrame* frame) {
  if (__builtin_expect(g_settings.check_every != 0, 0)) SweepWhenDue(frame);
  const Request request = {.door = door, .alignment = alignment, .zeroed = zeroed, .frame = frame};
  return spy_chain.Active() ? AllocateSpied(bytes, request, frame) : g_heap.Allocate(bytes, request);
}

void DeallocateSlowly(void* block, size_t bytes, size_t alignment, Door door, const DoorFrame* frame) {
  if (__builtin_expect(g_settings.check_every != 0, 0)) SweepWhenDue(frame);
  if (bytes != fast_path::kNoSize || alignment != 0) g_heap.CheckClaims(block, bytes, alignment, door, frame);
  if (spy_chain.Active()) return DeallocateSpied(block, door, frame);
  g_heap.Deallocate(block, {.door = door, .frame = frame});
}

void* ReallocateSlowly(void* block, size_t bytes, Door door, const DoorFrame* frame) {
  if (__builtin_expect(g_settings.check_every != 0, 0)) SweepWhenDue(frame);
  if (spy_chain.Active()) return ReallocateSpied(block, bytes, door, frame);
  return g_heap.Reallocate(block, bytes, {.door = door, .frame = frame});
}

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

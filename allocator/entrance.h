// Every door leads here: into the spies' chain if a spy is registered, else straight to the wrapping allocator.
// `frame` is the record of the program's call on its stack.
#pragma once

#include <cstddef>

#include "allocator/wrapping_allocator.h"
#include "spy/heap.h"
#include "spy/spy_chain.h"

namespace mallocspy::entrance {

// The way through the chain. Captures the stack first, outside the spy lock.
void* AllocateSpied(size_t bytes, const Request& request, const DoorFrame* frame);
void DeallocateSpied(void* block, Door door, const DoorFrame* frame);
void* ReallocateSpied(void* block, size_t bytes, Door door, const DoorFrame* frame);
size_t SizeOfSpied(void* block, Door door, const DoorFrame* frame);
int DidAllocSpied(void* block, Door door, const DoorFrame* frame);
void MinimizeSpied(Door door, const DoorFrame* frame);

inline void* Allocate(size_t bytes, Request request, const DoorFrame* frame) {
  request.frame = frame;
  if (__builtin_expect(spy_chain.Active(), 0)) return AllocateSpied(bytes, request, frame);
  return g_heap.Allocate(bytes, request);
}

inline void Deallocate(void* block, Door door, const DoorFrame* frame) {
  if (__builtin_expect(spy_chain.Active(), 0)) return DeallocateSpied(block, door, frame);
  g_heap.Deallocate(block, {.door = door, .frame = frame});
}

// Of null it allocates; to 0 bytes it frees and returns null.
inline void* Reallocate(void* block, size_t bytes, Door door, const DoorFrame* frame) {
  if (__builtin_expect(spy_chain.Active(), 0)) return ReallocateSpied(block, bytes, door, frame);
  const Request request{.door = door, .frame = frame};
  if (block == nullptr) return g_heap.Allocate(bytes, request);
  if (bytes == 0) return g_heap.Deallocate(block, request), nullptr;
  return g_heap.Reallocate(block, bytes, request);
}

// (size_t)-1 for what is no live block of ours.
inline size_t SizeOf(void* block, Door door, const DoorFrame* frame) {
  if (__builtin_expect(spy_chain.Active(), 0)) return SizeOfSpied(block, door, frame);
  return g_heap.SizeOf(block);
}

// 1: a live block; 0: not; -1: null.
inline int DidAlloc(void* block, Door door, const DoorFrame* frame) {
  if (__builtin_expect(spy_chain.Active(), 0)) return DidAllocSpied(block, door, frame);
  if (block == nullptr) return -1;
  return g_heap.IsLive(block) ? 1 : 0;
}

inline void Minimize(Door door, const DoorFrame* frame) {
  if (__builtin_expect(spy_chain.Active(), 0)) return MinimizeSpied(door, frame);
  g_heap.Minimize();
}

}  // namespace mallocspy::entrance

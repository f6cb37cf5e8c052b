// Every door leads here: into the spies' chain if a spy is registered, else straight to the wrapping allocator.
// `frame` is the record of the program's call on its stack, never null.
#pragma once

#include <cstddef>

#include "allocator/fast_path.h"
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

// Without the fast path.
void* AllocateSlowly(size_t bytes, Door door, size_t alignment, bool zeroed, const DoorFrame* frame);
void DeallocateSlowly(void* block, size_t bytes, size_t alignment, Door door, const DoorFrame* frame);
void* ReallocateSlowly(void* block, size_t bytes, Door door, const DoorFrame* frame);

MALLOCSPY_ALWAYS_INLINE void* Allocate(size_t bytes, const Request& request, const DoorFrame* frame) {
  if (__builtin_expect(!spy_chain.Active(), 1) && !IsAligned(request.door)) {
    if (void* block = fast_path::Allocate(bytes, request.door, request.zeroed, frame); __builtin_expect(block != nullptr, 1)) return block;
  }
  return AllocateSlowly(bytes, request.door, request.alignment, request.zeroed, frame);
}

// `bytes` (or fast_path::kNoSize) and `alignment` (or 0) are what the caller says of the block.
MALLOCSPY_ALWAYS_INLINE void Deallocate(void* block, size_t bytes, size_t alignment, Door door, const DoorFrame* frame) {
  if (__builtin_expect(!spy_chain.Active(), 1) && !IsAligned(door) && alignment == 0 && fast_path::Free(block, bytes, door, frame)) return;
  DeallocateSlowly(block, bytes, alignment, door, frame);
}
MALLOCSPY_ALWAYS_INLINE void Deallocate(void* block, Door door, const DoorFrame* frame) {
  Deallocate(block, fast_path::kNoSize, 0, door, frame);
}

// Of null it allocates; to 0 bytes it frees and returns null.
inline void* Reallocate(void* block, size_t bytes, Door door, const DoorFrame* frame) {
  if (__builtin_expect(spy_chain.Active(), 0)) return ReallocateSlowly(block, bytes, door, frame);
  if (block == nullptr) return Allocate(bytes, {.door = door}, frame);
  if (bytes == 0) return Deallocate(block, door, frame), nullptr;
  if (void* resized = fast_path::Resize(block, bytes, door, frame); resized != nullptr) return resized;
  return ReallocateSlowly(block, bytes, door, frame);
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

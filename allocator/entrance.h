// Every door leads here: into the spies' chain if a spy is registered, else straight to the wrapping allocator.
// `caller` is the return address of the program's call.
#pragma once

#include <cstddef>

#include "allocator/wrapping_allocator.h"
#include "spy/heap.h"
#include "spy/spy_chain.h"

namespace mallocspy::entrance {

inline void* Allocate(size_t bytes, const Request& request, const void* caller) {
  SpyChain::SetCaller(caller);
  if (__builtin_expect(!spy_chain.Active(), 1)) return g_heap.Allocate(bytes, request);
  return spy_chain.Allocate(g_heap, bytes, request);
}

inline void Deallocate(void* block, Door door, const void* caller) {
  SpyChain::SetCaller(caller);
  const Request request{.door = door};
  if (__builtin_expect(!spy_chain.Active(), 1)) return g_heap.Deallocate(block, request);
  spy_chain.Deallocate(g_heap, block, request);
}

// Of null it allocates; to 0 bytes it frees and returns null.
inline void* Reallocate(void* block, size_t bytes, Door door, const void* caller) {
  SpyChain::SetCaller(caller);
  const Request request{.door = door};
  if (__builtin_expect(spy_chain.Active(), 0)) return spy_chain.Reallocate(g_heap, block, bytes, request);
  if (block == nullptr) return g_heap.Allocate(bytes, request);
  if (bytes == 0) return g_heap.Deallocate(block, request), nullptr;
  return g_heap.Reallocate(block, bytes, request);
}

// (size_t)-1 for what is no live block of ours.
inline size_t SizeOf(void* block, Door door, const void* caller) {
  SpyChain::SetCaller(caller);
  if (__builtin_expect(!spy_chain.Active(), 1)) return g_heap.SizeOf(block);
  return spy_chain.SizeOf(g_heap, block, door);
}

inline int DidAlloc(void* block, Door door, const void* caller) {
  SpyChain::SetCaller(caller);
  if (__builtin_expect(spy_chain.Active(), 0)) return spy_chain.DidAlloc(g_heap, block, door);
  if (block == nullptr) return -1;
  return g_heap.IsLive(block) ? 1 : 0;
}

inline void Minimize(Door door, const void* caller) {
  SpyChain::SetCaller(caller);
  if (__builtin_expect(!spy_chain.Active(), 1)) return g_heap.Minimize();
  spy_chain.Minimize(g_heap, door);
}

}  // namespace mallocspy::entrance

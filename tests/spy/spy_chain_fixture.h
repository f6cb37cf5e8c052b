// A chain of the test's own over a heap with made-up blocks, with a spy that is not yet registered.
#pragma once

#include <gtest/gtest.h>

#include "spy/spy_chain.h"
#include "tests/spy/fake_heap.h"
#include "tests/spy/recording_spy.h"

namespace mallocspy {

inline constexpr Request kTask{.door = Door::kTask};
inline constexpr Request kMalloc{.door = Door::kMalloc};

class SpyChainTest : public testing::Test {
 protected:
  ~SpyChainTest() override { chain.ReleaseMemory(); }

  void* Alloc(size_t bytes, const Request& request = kTask) { return chain.Allocate(heap, bytes, request); }
  void* Realloc(void* pointer, size_t bytes, const Request& request = kTask) {
    return chain.Reallocate(heap, pointer, bytes, request);
  }
  void Free(void* pointer, const Request& request = kTask) { chain.Deallocate(heap, pointer, request); }

  FakeHeap heap;
  SpyChain chain;
  RecordingSpy spy;
};

}  // namespace mallocspy

#include "tests/spy/windows_style_spy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spy/spy_chain.h"
#include "tests/spy/fake_heap.h"

namespace mallocspy {
namespace {

const Request kTask{.door = Door::kTask};

TEST(WindowsStyleSpy, Contract_1_5_CompilesUnchangedAndWorks) {
  FakeHeap heap;
  char* older = static_cast<char*>(spy_chain.Allocate(heap, 4, kTask));
  memcpy(older, "abc", 4);

  IMallocSpy* spy = CreateLeakSpy();
  ASSERT_EQ(1u, LeakSpyObjects());
  ASSERT_EQ(S_OK, CoRegisterMallocSpy(spy));
  EXPECT_EQ(1u, spy->Release());

  void* block = spy_chain.Allocate(heap, 27, kTask);
  EXPECT_EQ(27u, spy_chain.SizeOf(heap, block, Door::kTask));
  EXPECT_EQ(1, spy_chain.DidAlloc(heap, block, Door::kTask));
  void* empty = spy_chain.Allocate(heap, 0, kTask);
  void* fresh = spy_chain.Reallocate(heap, nullptr, 5, kTask);
  older = static_cast<char*>(spy_chain.Reallocate(heap, older, 40, kTask));
  EXPECT_STREQ("abc", older);
  EXPECT_EQ(4u, LeakSpyLiveBlocks());

  EXPECT_EQ(E_ACCESSDENIED, CoRevokeMallocSpy());
  spy_chain.Deallocate(heap, empty, kTask);
  EXPECT_EQ(nullptr, spy_chain.Reallocate(heap, fresh, 0, kTask));
  spy_chain.Deallocate(heap, older, kTask);
  EXPECT_EQ(1u, LeakSpyLiveBlocks());
  EXPECT_EQ(1u, LeakSpyObjects());
  spy_chain.Deallocate(heap, block, kTask);
  EXPECT_EQ(0u, LeakSpyObjects()) << "the pending revoke released it, and it deleted itself";
  EXPECT_THAT(heap.breaches, testing::IsEmpty());
  EXPECT_TRUE(heap.blocks.empty());
}

}  // namespace
}  // namespace mallocspy

// Calls that a spy itself makes: clause 4.9 of the contract.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/spy/spy_chain_fixture.h"

namespace mallocspy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(SpyChainTest, Contract_4_9_CallsOfASpyBypassIt) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  void* own = nullptr;
  spy.on_pre_alloc = [&](SIZE_T bytes) {
    EXPECT_TRUE(SpyChain::InSpy());
    own = Alloc(100);
    own = Realloc(own, 200);
    EXPECT_EQ(200u, chain.SizeOf(heap, own, Door::kTask));
    EXPECT_EQ(1, chain.DidAlloc(heap, own, Door::kTask));
    Free(Alloc(5));
    chain.Minimize(heap, Door::kTask);
    return bytes;
  };
  void* block = Alloc(27);
  EXPECT_FALSE(SpyChain::InSpy());
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreAlloc 27", "PostAlloc"));
  EXPECT_EQ(0, heap.SpiedSet(own));
  Free(own);
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreFree 0", "PostFree 0"));
  Free(block);
}

TEST_F(SpyChainTest, Contract_4_9_ASpyMayFreeASpiedBlock) {
  ShiftingSpy shifting(16);
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&shifting));
  void* block = Alloc(8);
  void* other = Alloc(9);
  ASSERT_EQ(E_ACCESSDENIED, chain.RevokeComSpy());
  shifting.on_post_free = [&] {
    Free(other);
    EXPECT_EQ(0, shifting.releases) << "the call under way still needs it";
  };
  Free(block);
  EXPECT_EQ(1, shifting.releases);
  EXPECT_TRUE(heap.blocks.empty());
  EXPECT_FALSE(chain.HasShifted());
  EXPECT_THAT(heap.invalid, IsEmpty());
}

TEST_F(SpyChainTest, Contract_4_9_ASpyMayResizeASpiedBlock) {
  for (const size_t front : {size_t{0}, size_t{16}}) {
    ShiftingSpy shifting(front);
    ASSERT_EQ(S_OK, chain.RegisterComSpy(&shifting));
    char* pointer = static_cast<char*>(Alloc(8));
    memcpy(pointer, "abcdefg", 8);
    ASSERT_EQ(E_ACCESSDENIED, chain.RevokeComSpy());
    char* mine = nullptr;
    shifting.on_pre_get_size = [&](void* given, BOOL) -> void* {
      EXPECT_EQ(8u, chain.SizeOf(heap, given, Door::kTask));
      mine = static_cast<char*>(Realloc(given, 80));
      return given;
    };
    chain.SizeOf(heap, pointer, Door::kTask);
    EXPECT_EQ(1, shifting.releases) << "its block is the spy's own now";
    EXPECT_STREQ("abcdefg", mine);
    EXPECT_EQ(80u, heap.SizeOf(mine));
    EXPECT_FALSE(chain.HasShifted());
    Free(mine);
    EXPECT_TRUE(heap.blocks.empty());
    heap.breaches.clear();  // it gave back a pointer that it had freed
  }
}

TEST_F(SpyChainTest, Contract_4_9_ATakenOverBlockMayBeFreedByTheSpyThroughTheTaskAllocator) {
  ASSERT_EQ(S_OK, chain.Add(&spy, MALLOCSPY_SEE_MALLOC));
  void* block = Alloc(8, Request{.door = Door::kNew});
  spy.on_pre_free = [](void*, BOOL) -> void* { return nullptr; };
  spy.on_post_free = [&] { Free(block, kTask); };
  Free(block, Request{.door = Door::kNew});
  EXPECT_THAT(heap.freed, ElementsAre(FakeHeap::Freed{block, Door::kNone}));
}

TEST_F(SpyChainTest, TheCallerIsKnownInsideOnly) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  const void* seen = nullptr;
  int here_address = 0, inner_address = 0;
  const DoorFrame here = {0, &here_address}, inner = {0, &inner_address};
  spy.on_pre_alloc = [&](SIZE_T bytes) {
    SpyChain::SetCall(&inner);  // a call that the spy makes
    seen = mallocspy_caller();
    return bytes;
  };
  SpyChain::SetCall(&here);
  EXPECT_EQ(nullptr, mallocspy_caller());
  Alloc(8);
  EXPECT_EQ(&here_address, seen);
  Alloc(8);
  EXPECT_EQ(nullptr, seen) << "the caller of an earlier call";
}

}  // namespace
}  // namespace mallocspy

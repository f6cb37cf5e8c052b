#include "spy/spy_chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/spy/spy_chain_fixture.h"

namespace mallocspy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// ---- 4.1 ----

TEST_F(SpyChainTest, Contract_4_1_PreThenOperationThenPost) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  size_t live_at_pre = 99, live_at_post = 99;
  spy.on_pre_alloc = [&](SIZE_T bytes) { return live_at_pre = heap.blocks.size(), bytes; };
  spy.on_post_alloc = [&](void* block) { return live_at_post = heap.blocks.size(), block; };
  void* block = Alloc(27);
  EXPECT_EQ(0u, live_at_pre);
  EXPECT_EQ(1u, live_at_post);
  Free(block);
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreAlloc 27", "PostAlloc", "PreFree 1", "PostFree 1"));
}

TEST_F(SpyChainTest, Contract_4_1_NoOtherThreadIsInTheSpyBetweenPreAndPost) {
  std::atomic<int> inside{0};
  std::atomic<bool> overlapped{false};
  spy.on_pre_alloc = [&](SIZE_T bytes) {
    if (inside.fetch_add(1) != 0) overlapped = true;
    std::this_thread::yield();
    return bytes;
  };
  spy.on_post_alloc = [&](void* block) {
    std::this_thread::yield();
    inside.fetch_sub(1);
    return block;
  };
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 500; ++j) Free(Alloc(8));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(overlapped);
  EXPECT_EQ(2000u * 4, spy.TakeLog().size());  // the log itself would have lost entries
}

TEST_F(SpyChainTest, Contract_4_1_WithNoSpyRegisteredNoLockIsTaken) {
  EXPECT_FALSE(chain.Active());
  // A thread stays in the lock of another chain's spy; this chain's calls go on. With a spy they would wait: the spy's
  // method itself, on another thread, would then never end.
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  EXPECT_TRUE(chain.Active());
  spy.on_pre_alloc = [&](SIZE_T bytes) {
    std::thread([&] { Free(Alloc(16, kMalloc), kMalloc); }).join();  // a door that the spy does not see
    return bytes;
  };
  Free(Alloc(8));
  EXPECT_EQ(S_OK, chain.RevokeComSpy());
  EXPECT_FALSE(chain.Active());
}

// ---- 4.2 ----

TEST_F(SpyChainTest, Contract_4_2_PreAllocZeroFails) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  spy.on_pre_alloc = [](SIZE_T) { return SIZE_T{0}; };
  EXPECT_EQ(nullptr, Alloc(27));
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreAlloc 27"));
  EXPECT_THAT(heap.requested, IsEmpty());
  void* empty = Alloc(0);
  EXPECT_NE(nullptr, empty);
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreAlloc 0", "PostAlloc"));
  Free(empty);
}

TEST_F(SpyChainTest, Contract_4_2_PostAllocGetsNullOnExhaustion) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  heap.exhausted = true;
  EXPECT_EQ(nullptr, Alloc(27));
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreAlloc 27", "PostAlloc NULL"));
}

TEST_F(SpyChainTest, Contract_4_2_TheBlockHasWhatPreAllocSaid) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  spy.on_pre_alloc = [](SIZE_T bytes) { return bytes + 100; };
  void* block = Alloc(27);
  EXPECT_EQ(127u, heap.blocks.at(block).bytes);
  Free(block);
}

TEST_F(SpyChainTest, Contract_4_2_AWithheldBlockStaysLiveAndUnspied) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  spy.on_post_alloc = [](void*) -> void* { return nullptr; };
  EXPECT_EQ(nullptr, Alloc(27));
  ASSERT_EQ(1u, heap.blocks.size());
  EXPECT_EQ(0, heap.blocks.begin()->second.spied_by);
  EXPECT_THAT(heap.breaches, IsEmpty());
  EXPECT_EQ(S_OK, chain.RevokeComSpy());
}

TEST_F(SpyChainTest, ForcedFailureSetsErrnoOnOtherDoorsOnly) {
  ASSERT_EQ(S_OK, chain.Add(&spy, MALLOCSPY_SEE_MALLOC));
  spy.on_pre_alloc = [](SIZE_T) { return SIZE_T{0}; };
  errno = EDOM;
  EXPECT_EQ(nullptr, Alloc(27, kTask));
  EXPECT_EQ(EDOM, errno);
  EXPECT_EQ(nullptr, Alloc(27, kMalloc));
  EXPECT_EQ(ENOMEM, errno);
}

TEST_F(SpyChainTest, ErrnoSurvivesWhatSpiesDo) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  spy.on_pre_alloc = [](SIZE_T bytes) { return errno = EIO, bytes; };
  spy.on_post_free = [] { errno = EIO; };
  errno = EDOM;
  void* block = Alloc(27);
  EXPECT_EQ(EDOM, errno);
  Free(block);
  EXPECT_EQ(EDOM, errno);
}

TEST_F(SpyChainTest, CallocIsZeroWhateverSpiesWrote) {
  ASSERT_EQ(S_OK, chain.Add(&spy, MALLOCSPY_SEE_MALLOC));
  spy.on_pre_alloc = [](SIZE_T bytes) { return bytes + 32; };
  spy.on_post_alloc = [](void* block) -> void* {
    memset(block, 0xff, 16 + 27);
    return static_cast<char*>(block) + 16;
  };
  spy.on_pre_free = [](void* pointer, BOOL) -> void* { return static_cast<char*>(pointer) - 16; };
  char* pointer = static_cast<char*>(Alloc(27, Request{.door = Door::kMalloc, .zeroed = true}));
  EXPECT_EQ(std::string(27, '\0'), std::string(pointer, 27));
  EXPECT_EQ('\xff', pointer[-1]);  // the spy's own bytes stay
  Free(pointer, kMalloc);
}

// ---- 4.3 ----

TEST_F(SpyChainTest, Contract_4_3_OnlyWhatWasHandedOutIsSpied) {
  void* older = Alloc(8);
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  void* block = Alloc(8);
  spy.TakeLog();
  chain.SizeOf(heap, older, Door::kTask);
  chain.SizeOf(heap, block, Door::kTask);
  chain.DidAlloc(heap, older, Door::kTask);
  Free(older);
  Free(block);
  EXPECT_THAT(spy.TakeLog(),
              ElementsAre("PreGetSize 0", "PostGetSize 8 0", "PreGetSize 1", "PostGetSize 8 1", "PreDidAlloc 0",
                          "PostDidAlloc 0 1", "PreFree 0", "PostFree 0", "PreFree 1", "PostFree 1"));
}

// ---- 4.4 ----

TEST_F(SpyChainTest, Contract_4_4_PreFreeNullKeepsTheBlock) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  void* block = Alloc(8);
  spy.on_pre_free = [](void*, BOOL) -> void* { return nullptr; };
  spy.TakeLog();
  Free(block);
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreFree 1", "PostFree 1"));
  EXPECT_TRUE(heap.IsLive(block));
  EXPECT_EQ(0, heap.SpiedSet(block));
  EXPECT_THAT(heap.freed, IsEmpty());
  EXPECT_THAT(heap.invalid, IsEmpty());
  EXPECT_EQ(S_OK, chain.RevokeComSpy()) << "it counts no longer";
}

TEST_F(SpyChainTest, Contract_4_4_PreFreeMayReturnABlockTakenOverEarlier) {
  ASSERT_EQ(S_OK, chain.Add(&spy, MALLOCSPY_SEE_MALLOC));
  void* first = Alloc(8, kMalloc);
  void* second = Alloc(8, kTask);
  void* kept = nullptr;
  spy.on_pre_free = [&](void* pointer, BOOL) -> void* { return std::exchange(kept, pointer); };
  Free(first, kMalloc);
  EXPECT_TRUE(heap.IsLive(first));
  Free(second, kTask);
  EXPECT_TRUE(heap.IsLive(second));
  // Made by malloc, freed in the course of a call of the task allocator: its door is not to be judged.
  EXPECT_THAT(heap.freed, ElementsAre(FakeHeap::Freed{first, Door::kNone}));
  EXPECT_THAT(heap.breaches, IsEmpty());
  EXPECT_EQ(S_OK, chain.Remove(&spy));
}

TEST_F(SpyChainTest, Contract_4_4_NullNeverReachesTheSpy) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  Free(nullptr);
  EXPECT_EQ(static_cast<size_t>(-1), chain.SizeOf(heap, nullptr, Door::kTask));
  EXPECT_EQ(-1, chain.DidAlloc(heap, nullptr, Door::kTask));
  EXPECT_THAT(spy.TakeLog(), IsEmpty());
}

TEST_F(SpyChainTest, APointerThatIsNoBlockIsTheHeapsToJudge) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  int local = 0;
  Free(&local);
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreFree 0", "PostFree 0"));
  spy.on_pre_free = [](void* pointer, BOOL) -> void* { return static_cast<char*>(pointer) - 16; };
  Free(&local);
  EXPECT_THAT(heap.invalid, ElementsAre(&local, &local));
  EXPECT_THAT(heap.breaches, IsEmpty());
}

// ---- 4.5 ----

TEST_F(SpyChainTest, Contract_4_5_ASpyThatStoresNothingPassesThrough) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  void* block = Alloc(8);
  spy.TakeLog();
  void* bigger = Realloc(block, 80);
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreRealloc 80 1", "PostRealloc 1"));
  EXPECT_EQ(80u, heap.blocks.at(bigger).bytes);
  Free(bigger);
  EXPECT_EQ(S_OK, chain.RevokeComSpy());
}

TEST_F(SpyChainTest, Contract_4_5_PreReallocZeroLeavesTheBlockAsItWas) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  void* block = Alloc(8);
  spy.on_pre_realloc = [](void*, SIZE_T, void**, BOOL) { return SIZE_T{0}; };
  spy.TakeLog();
  EXPECT_EQ(nullptr, Realloc(block, 80));
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreRealloc 80 1"));
  EXPECT_EQ(8u, heap.blocks.at(block).bytes);
  Free(block);
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreFree 1", "PostFree 1"));
}

TEST_F(SpyChainTest, Contract_4_5_ReallocToZeroFreesAndPostReallocGetsNull) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  for (SIZE_T answer : {0, 16}) {
    void* block = Alloc(8);
    spy.on_pre_realloc = [answer](void*, SIZE_T, void**, BOOL) { return answer; };
    spy.TakeLog();
    errno = EDOM;
    EXPECT_EQ(nullptr, Realloc(block, 0, answer == 0 ? kTask : kMalloc));
    EXPECT_EQ(EDOM, errno) << "that is no failure";
    EXPECT_THAT(spy.TakeLog(), ElementsAre("PreRealloc 0 1", "PostRealloc NULL 1"));
    EXPECT_FALSE(heap.IsLive(block));
  }
  EXPECT_EQ(S_OK, chain.RevokeComSpy());
}

TEST_F(SpyChainTest, Contract_4_5_ExhaustionLeavesTheBlockAsItWas) {
  ShiftingSpy shifting(16);
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&shifting));
  void* pointer = Alloc(8);
  heap.exhausted = true;
  shifting.TakeLog();
  EXPECT_EQ(nullptr, Realloc(pointer, 80));
  EXPECT_THAT(shifting.TakeLog(), ElementsAre("PreRealloc 80 1", "PostRealloc NULL 1"));
  EXPECT_EQ(8u, chain.SizeOf(heap, pointer, Door::kTask));
  Free(pointer);
  EXPECT_THAT(heap.breaches, IsEmpty());
  EXPECT_TRUE(heap.blocks.empty());
}

TEST_F(SpyChainTest, Contract_4_5_ReallocOfNullGoesThroughRealloc) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  void* block = Realloc(nullptr, 8);
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreRealloc NULL 8 1", "PostRealloc 1"));
  ASSERT_NE(nullptr, block);
  Free(block);
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreFree 1", "PostFree 1"));
  void* empty = Realloc(nullptr, 0);
  EXPECT_NE(nullptr, empty);
  Free(empty);
}

TEST_F(SpyChainTest, Contract_4_5_AnOlderBlockIsSpiedAfterRealloc) {
  void* block = Alloc(8);
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  void* bigger = Realloc(block, 80);
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreRealloc 80 0", "PostRealloc 0"));
  EXPECT_EQ(E_ACCESSDENIED, chain.RevokeComSpy());
  Free(bigger);
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreFree 1", "PostFree 1"));
  EXPECT_EQ(1, spy.releases);
}

TEST_F(SpyChainTest, ReallocThatTheSpyTakesOverGivesANewBlock) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  void* block = Alloc(8);
  spy.on_pre_realloc = [](void*, SIZE_T bytes, void** request, BOOL) { return *request = nullptr, bytes; };
  void* other = Realloc(block, 80);
  EXPECT_NE(nullptr, other);
  EXPECT_TRUE(heap.IsLive(block)) << "it is the spy's now";
  EXPECT_EQ(0, heap.SpiedSet(block));
  EXPECT_EQ(nullptr, Realloc(other, 0));
  EXPECT_TRUE(heap.IsLive(other)) << "taken over as well";
  EXPECT_EQ(S_OK, chain.RevokeComSpy());
}

// ---- 4.6, 4.7 ----

TEST_F(SpyChainTest, Contract_4_6_GetSizeTranslatesAndChanges) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  void* block = Alloc(27);
  spy.on_post_get_size = [](SIZE_T bytes, BOOL) { return bytes + 1000; };
  EXPECT_EQ(1027u, chain.SizeOf(heap, block, Door::kTask));
  void* other = Alloc(5);
  spy.on_pre_get_size = [&](void*, BOOL) { return other; };
  EXPECT_EQ(1005u, chain.SizeOf(heap, block, Door::kTask));
  EXPECT_THAT(heap.breaches, IsEmpty());
}

TEST_F(SpyChainTest, Contract_4_6_PostDidAllocGetsTheOriginalPointer) {
  ShiftingSpy shifting(16);
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&shifting));
  void* pointer = Alloc(27);
  EXPECT_EQ(1, chain.DidAlloc(heap, pointer, Door::kTask));
  EXPECT_EQ(pointer, shifting.got);
  shifting.on_post_did_alloc = [](void*, BOOL, int actual) { return actual + 5; };
  EXPECT_EQ(6, chain.DidAlloc(heap, pointer, Door::kTask));
  int local = 0;
  EXPECT_EQ(5, chain.DidAlloc(heap, &local, Door::kTask));
}

TEST_F(SpyChainTest, Contract_4_7_HeapMinimize) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  chain.Minimize(heap, Door::kTask);
  EXPECT_EQ(1, heap.minimized);
  chain.Minimize(heap, Door::kMalloc);
  EXPECT_EQ(2, heap.minimized);
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreHeapMinimize", "PostHeapMinimize")) << "it does not see the libc door";
}

// ---- 4.8 ----

TEST_F(SpyChainTest, Contract_4_8_AShiftedPointerFindsItsBlock) {
  ShiftingSpy shifting(16);
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&shifting));
  EXPECT_FALSE(chain.HasShifted());
  char* pointer = static_cast<char*>(Alloc(27));
  EXPECT_TRUE(chain.HasShifted());
  EXPECT_EQ(43u, heap.blocks.at(pointer - 16).bytes);
  EXPECT_EQ(27u, chain.SizeOf(heap, pointer, Door::kTask));
  EXPECT_EQ(1, chain.DidAlloc(heap, pointer, Door::kTask));
  EXPECT_EQ(0, chain.DidAlloc(heap, pointer - 16, Door::kTask)) << "the program never got this pointer";
  EXPECT_EQ(0, chain.DidAlloc(heap, pointer + 1, Door::kTask));
  memcpy(pointer, "abcdefg", 8);
  char* bigger = static_cast<char*>(Realloc(pointer, 100));
  EXPECT_STREQ("abcdefg", bigger);
  EXPECT_EQ(100u, chain.SizeOf(heap, bigger, Door::kTask));
  heap.stay_in_place = true;
  EXPECT_EQ(bigger, Realloc(bigger, 50));
  EXPECT_EQ(50u, chain.SizeOf(heap, bigger, Door::kTask));
  Free(bigger);
  EXPECT_TRUE(heap.blocks.empty());
  EXPECT_FALSE(chain.HasShifted());
  EXPECT_THAT(heap.breaches, IsEmpty());
  EXPECT_EQ(S_OK, chain.RevokeComSpy());
}

TEST_F(SpyChainTest, Contract_4_8_AnEmptyBlockMayBeShiftedToItsEnd) {
  ShiftingSpy shifting(16);
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&shifting));
  void* first = Alloc(0);
  void* second = Alloc(0);
  EXPECT_NE(first, second);
  EXPECT_EQ(0u, chain.SizeOf(heap, first, Door::kTask));
  Free(first);
  Free(second);
  EXPECT_THAT(heap.breaches, IsEmpty());
  EXPECT_TRUE(heap.blocks.empty());
}

TEST_F(SpyChainTest, Contract_4_8_ABlockFreedThroughAnotherDoorIsMappedBack) {
  ShiftingSpy shifting(16);
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&shifting));  // it does not see malloc
  void* pointer = Alloc(27);
  shifting.TakeLog();
  Free(pointer, kMalloc);
  EXPECT_THAT(shifting.TakeLog(), ElementsAre("PreFree 1", "PostFree 1"));
  EXPECT_TRUE(heap.blocks.empty());
  EXPECT_THAT(heap.invalid, IsEmpty());
  EXPECT_EQ(S_OK, chain.RevokeComSpy());
}

TEST_F(SpyChainTest, ABlockThatTheHeapDoesNotKnowAfterwardsIsNeitherMovedNorSpied) {
  ShiftingSpy shifting(16);
  ASSERT_EQ(S_OK, chain.Add(&shifting, MALLOCSPY_SEE_MALLOC));
  heap.unrecorded = true;
  void* block = Alloc(8, kMalloc);
  EXPECT_EQ(shifting.got, block);
  EXPECT_FALSE(chain.HasShifted());
  shifting.TakeLog();
  Free(block, kMalloc);
  EXPECT_THAT(shifting.TakeLog(), ElementsAre("PreFree 0", "PostFree 0"));
  EXPECT_THAT(heap.invalid, ElementsAre(block));
  EXPECT_EQ(S_OK, chain.Remove(&shifting));
}

// ---- 4.11: which doors a spy sees ----

TEST_F(SpyChainTest, Contract_4_11_TheDoorsOfASpy) {
  RecordingSpy everything;
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  EXPECT_TRUE(chain.SeesDoor(Door::kTask));
  EXPECT_FALSE(chain.SeesDoor(Door::kMalloc));
  Free(Alloc(8, kMalloc), kMalloc);
  EXPECT_THAT(spy.TakeLog(), IsEmpty());
  ASSERT_EQ(S_OK, chain.Add(&everything, MALLOCSPY_SEE_MALLOC));
  EXPECT_TRUE(chain.SeesDoor(Door::kNew));
  Free(Alloc(8, kMalloc), kMalloc);
  EXPECT_THAT(spy.TakeLog(), IsEmpty());
  EXPECT_THAT(everything.TakeLog(), ElementsAre("PreAlloc 8", "PostAlloc", "PreFree 1", "PostFree 1"));
}

TEST_F(SpyChainTest, Contract_4_11_TheOptionOverrulesEverySpy) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  chain.SetHookMalloc(true);
  EXPECT_TRUE(chain.SeesDoor(Door::kMalloc));
  Free(Alloc(8, kMalloc), kMalloc);
  EXPECT_EQ(4u, spy.TakeLog().size());
  chain.SetHookMalloc(false);
  RecordingSpy everything;
  ASSERT_EQ(S_OK, chain.Add(&everything, MALLOCSPY_SEE_MALLOC));
  EXPECT_FALSE(chain.SeesDoor(Door::kMalloc));
  Free(Alloc(8, kMalloc), kMalloc);
  EXPECT_THAT(everything.TakeLog(), IsEmpty());
}

}  // namespace
}  // namespace mallocspy

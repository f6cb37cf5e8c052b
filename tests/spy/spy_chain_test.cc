#include "spy/spy_chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/spy/fake_heap.h"
#include "tests/spy/recording_spy.h"

namespace mallocspy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Log = std::vector<std::string>;

const Request kTask{.door = Door::kTask};
const Request kMalloc{.door = Door::kMalloc};

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
    EXPECT_EQ(nullptr, Realloc(block, 0, kTask));
    EXPECT_EQ(EDOM, errno);
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

// ---- 4.9 ----

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
  int here = 0, inner = 0;
  spy.on_pre_alloc = [&](SIZE_T bytes) {
    SpyChain::SetCaller(&inner);  // a call that the spy makes
    seen = mallocspy_caller();
    return bytes;
  };
  SpyChain::SetCaller(&here);
  EXPECT_EQ(nullptr, mallocspy_caller());
  Alloc(8);
  EXPECT_EQ(&here, seen);
  Alloc(8);
  EXPECT_EQ(nullptr, seen) << "the caller of an earlier call";
}

// ---- 4.10 ----

TEST_F(SpyChainTest, Contract_4_10_FewerBytesThanAsked) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  spy.on_pre_alloc = [](SIZE_T bytes) { return bytes - 1; };
  void* block = Alloc(27);
  EXPECT_EQ(27u, heap.blocks.at(block).bytes);
  EXPECT_THAT(heap.breaches, ElementsAre("PreAlloc returned fewer bytes than asked"));
  spy.on_pre_realloc = [](void*, SIZE_T bytes, void**, BOOL) { return bytes - 1; };
  block = Realloc(block, 50);
  EXPECT_EQ(50u, heap.blocks.at(block).bytes);
  EXPECT_EQ("PreRealloc returned fewer bytes than asked", heap.breaches.back());
}

TEST_F(SpyChainTest, Contract_4_10_APointerOutsideTheBlock) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  void* actual = nullptr;
  for (const long shift : {-1L, 27L, 28L, 1L << 40}) {
    spy.on_post_alloc = [&](void* block) -> void* { return actual = block, static_cast<char*>(block) + shift; };
    heap.breaches.clear();
    void* block = Alloc(27);
    EXPECT_EQ(actual, block) << shift;
    EXPECT_THAT(heap.breaches, ElementsAre("PostAlloc returned a pointer outside its block")) << shift;
    EXPECT_FALSE(chain.HasShifted());
    Free(block);
  }
  spy.on_post_alloc = nullptr;
  spy.on_post_realloc = [&](void* block, BOOL) -> void* { return actual = block, static_cast<char*>(block) - 1; };
  void* block = Realloc(Alloc(3), 27);
  EXPECT_EQ(actual, block);
  EXPECT_EQ("PostRealloc returned a pointer outside its block", heap.breaches.back());
}

TEST_F(SpyChainTest, Contract_4_10_TooFewBytesBehindThePointer) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  spy.on_pre_alloc = [](SIZE_T bytes) { return bytes + 8; };
  void* actual = nullptr;
  spy.on_post_alloc = [&](void* block) -> void* { return actual = block, static_cast<char*>(block) + 9; };
  EXPECT_EQ(actual, Alloc(27));
  EXPECT_THAT(heap.breaches, ElementsAre("PostAlloc returned a pointer with fewer bytes behind it than asked"));
  spy.on_post_alloc = [&](void* block) -> void* { return actual = block, static_cast<char*>(block) + 8; };
  EXPECT_EQ(static_cast<char*>(actual = Alloc(27)), actual);
  EXPECT_EQ(1u, heap.breaches.size());
}

TEST_F(SpyChainTest, Contract_4_10_AlignmentOfTheOtherDoors) {
  ASSERT_EQ(S_OK, chain.Add(&spy, MALLOCSPY_SEE_MALLOC));
  spy.on_pre_alloc = [](SIZE_T bytes) { return bytes + 64; };
  void* actual = nullptr;
  size_t shift = 8;
  spy.on_post_alloc = [&](void* block) -> void* { return actual = block, static_cast<char*>(block) + shift; };
  EXPECT_EQ(actual, Alloc(27, kMalloc));
  EXPECT_THAT(heap.breaches, ElementsAre("PostAlloc returned a pointer that breaks the alignment asked for"));
  EXPECT_NE(actual, Alloc(27, kTask)) << "the task allocator promises none";
  shift = 16;
  EXPECT_NE(actual, Alloc(27, kMalloc));
  EXPECT_EQ(1u, heap.breaches.size());
  EXPECT_EQ(actual, Alloc(27, Request{.door = Door::kAlignedMalloc, .alignment = 64}));
  EXPECT_EQ(2u, heap.breaches.size());
}

TEST_F(SpyChainTest, Contract_4_10_APreMethodThatLosesTheBlock) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  auto wrong = [](void* pointer, BOOL) -> void* { return static_cast<char*>(pointer) - 16; };
  spy.on_pre_free = spy.on_pre_get_size = spy.on_pre_did_alloc = wrong;
  spy.on_pre_realloc = [](void* pointer, SIZE_T bytes, void** request, BOOL) {
    *request = static_cast<char*>(pointer) + 1;
    return bytes;
  };
  void* block = Alloc(27);
  EXPECT_EQ(27u, chain.SizeOf(heap, block, Door::kTask));
  EXPECT_EQ(1, chain.DidAlloc(heap, block, Door::kTask));
  block = Realloc(block, 30);
  EXPECT_EQ(30u, heap.SizeOf(block));
  Free(block);
  EXPECT_TRUE(heap.blocks.empty());
  EXPECT_THAT(heap.breaches, ElementsAre("PreGetSize returned a pointer that is no live block",
                                         "PreDidAlloc returned a pointer that is no live block",
                                         "PreRealloc stored a pointer that is no live block",
                                         "PreFree returned a pointer that is no live block"));
}

TEST_F(SpyChainTest, Contract_4_10_AShiftingSpyThatForgetsToMapBack) {
  ShiftingSpy shifting(16);
  shifting.on_pre_free = nullptr;
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&shifting));
  Free(Alloc(27));
  EXPECT_TRUE(heap.blocks.empty());
  EXPECT_THAT(heap.breaches, ElementsAre("PreFree returned a pointer that is no live block"));
}

TEST_F(SpyChainTest, Contract_4_10_PointersAndNullsWhereTheyDoNotBelong) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  int local = 0;
  spy.on_post_alloc = [&](void* block) -> void* { return block == nullptr ? &local : block; };
  heap.exhausted = true;
  EXPECT_EQ(nullptr, Alloc(27));
  EXPECT_THAT(heap.breaches, ElementsAre("PostAlloc returned a pointer where there is no block"));
  heap.exhausted = false;
  void* block = Alloc(27);
  spy.on_post_realloc = [](void*, BOOL) -> void* { return nullptr; };
  block = Realloc(block, 50);
  ASSERT_NE(nullptr, block) << "the old block is gone, so there must be a usable one";
  EXPECT_EQ("PostRealloc returned NULL for a block that was resized", heap.breaches.back());
  spy.on_post_realloc = [&](void*, BOOL) -> void* { return &local; };
  EXPECT_EQ(nullptr, Realloc(block, 0));
  EXPECT_EQ("PostRealloc returned a pointer where there is no block", heap.breaches.back());
  EXPECT_TRUE(heap.blocks.empty());
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

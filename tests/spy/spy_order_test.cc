// Several spies in one chain.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spy/spy_chain.h"
#include "tests/spy/fake_heap.h"
#include "tests/spy/recording_spy.h"

namespace mallocspy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const Request kTask{.door = Door::kTask};
const Request kMalloc{.door = Door::kMalloc};

class SpyOrderTest : public testing::Test {
 protected:
  ~SpyOrderTest() override { chain.ReleaseMemory(); }

  void* Alloc(size_t bytes, const Request& request = kTask) { return chain.Allocate(heap, bytes, request); }
  void Free(void* pointer, const Request& request = kTask) { chain.Deallocate(heap, pointer, request); }
  std::vector<std::string> TakeLog() { return std::exchange(log, {}); }

  FakeHeap heap;
  SpyChain chain;
  std::vector<std::string> log;
};

TEST_F(SpyOrderTest, ANewSpyIsTheOutermost) {
  RecordingSpy first(&log, "1"), second(&log, "2"), com(&log, "com");
  ASSERT_EQ(S_OK, chain.Add(&first, 0));
  ASSERT_EQ(S_OK, chain.Add(&second, 0));
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&com));
  second.on_pre_alloc = [](SIZE_T bytes) { return bytes + 5; };
  void* block = Alloc(10);
  EXPECT_THAT(TakeLog(), ElementsAre("com:PreAlloc 10", "2:PreAlloc 10", "1:PreAlloc 15", "1:PostAlloc", "2:PostAlloc",
                                     "com:PostAlloc"));
  EXPECT_EQ(15u, heap.SizeOf(block));
  ASSERT_EQ(E_ACCESSDENIED, chain.Remove(&second));
  TakeLog();
  chain.Minimize(heap, Door::kTask);
  EXPECT_THAT(TakeLog(),
              ElementsAre("com:PreHeapMinimize", "1:PreHeapMinimize", "1:PostHeapMinimize", "com:PostHeapMinimize"));
  Free(block);
  EXPECT_THAT(TakeLog(), ElementsAre("com:PreFree 1", "2:PreFree 1", "1:PreFree 1", "1:PostFree 1", "2:PostFree 1",
                                     "com:PostFree 1"));
  EXPECT_EQ(1, second.releases);
}

TEST_F(SpyOrderTest, EachSpyHasItsOwnSpiedBlocks) {
  RecordingSpy inner(&log, "in"), outer(&log, "out");
  ASSERT_EQ(S_OK, chain.Add(&inner, 0));
  void* block = Alloc(1);
  ASSERT_EQ(S_OK, chain.Add(&outer, 0));
  TakeLog();
  Free(block);
  EXPECT_THAT(TakeLog(), ElementsAre("out:PreFree 0", "in:PreFree 1", "in:PostFree 1", "out:PostFree 0"));
  EXPECT_EQ(S_OK, chain.Remove(&outer));
  EXPECT_EQ(S_OK, chain.Remove(&inner));
}

TEST_F(SpyOrderTest, ASlotIsReusedOnlyWhenNoneOfItsBlocksIsLive) {
  RecordingSpy pending(&log, "pending");
  ASSERT_EQ(S_OK, chain.Add(&pending, 0));
  void* block = Alloc(1);
  ASSERT_EQ(E_ACCESSDENIED, chain.Remove(&pending));
  RecordingSpy others[kMaxSpies];
  for (int i = 0; i < kMaxSpies - 1; ++i) ASSERT_EQ(S_OK, chain.Add(&others[i], 0));
  EXPECT_EQ(E_OUTOFMEMORY, chain.Add(&others[kMaxSpies - 1], 0));
  for (int i = 0; i < kMaxSpies - 1; ++i) ASSERT_EQ(S_OK, chain.Remove(&others[i]));
  Free(block);
  EXPECT_EQ(S_OK, chain.Add(&others[kMaxSpies - 1], 0));
}

TEST_F(SpyOrderTest, AnInnerRefusalIsExhaustionToTheOuterSpies) {
  RecordingSpy inner(&log, "in"), outer(&log, "out");
  ASSERT_EQ(S_OK, chain.Add(&inner, MALLOCSPY_SEE_MALLOC));
  ASSERT_EQ(S_OK, chain.Add(&outer, MALLOCSPY_SEE_MALLOC));
  void* block = Alloc(3);
  inner.on_pre_alloc = [](SIZE_T) { return SIZE_T{0}; };
  inner.on_pre_realloc = [](void*, SIZE_T, void**, BOOL) { return SIZE_T{0}; };
  TakeLog();
  errno = 0;
  EXPECT_EQ(nullptr, Alloc(10, kMalloc));
  EXPECT_EQ(ENOMEM, errno);
  EXPECT_THAT(TakeLog(), ElementsAre("out:PreAlloc 10", "in:PreAlloc 10", "out:PostAlloc NULL"));
  EXPECT_EQ(nullptr, chain.Reallocate(heap, block, 10, kTask));
  EXPECT_THAT(TakeLog(), ElementsAre("out:PreRealloc 10 1", "in:PreRealloc 10 1", "out:PostRealloc NULL 1"));
  EXPECT_EQ(3u, heap.SizeOf(block));
  Free(block);
  EXPECT_THAT(heap.breaches, IsEmpty());
}

TEST_F(SpyOrderTest, ReallocToZeroIsThatForEverySpy) {
  RecordingSpy inner(&log, "in"), outer(&log, "out");
  ASSERT_EQ(S_OK, chain.Add(&inner, 0));
  ASSERT_EQ(S_OK, chain.Add(&outer, 0));
  outer.on_pre_realloc = [](void*, SIZE_T bytes, void**, BOOL) { return bytes + 16; };
  void* block = Alloc(10);
  TakeLog();
  EXPECT_EQ(nullptr, chain.Reallocate(heap, block, 0, kTask));
  EXPECT_THAT(TakeLog(), ElementsAre("out:PreRealloc 0 1", "in:PreRealloc 0 1", "in:PostRealloc NULL 1",
                                     "out:PostRealloc NULL 1"));
  EXPECT_TRUE(heap.blocks.empty());
  block = Alloc(10);
  outer.on_pre_realloc = [](void*, SIZE_T, void** request, BOOL) { return *request = nullptr, SIZE_T{0}; };
  TakeLog();
  EXPECT_EQ(nullptr, chain.Reallocate(heap, block, 0, kTask));
  EXPECT_THAT(TakeLog(), ElementsAre("out:PreRealloc 0 1", "out:PostRealloc NULL 1"));
  EXPECT_TRUE(heap.IsLive(block)) << "the outer spy took it over, so the inner one has nothing to free";
  EXPECT_THAT(heap.invalid, IsEmpty());
}

TEST_F(SpyOrderTest, TwoSpiesShiftTheSameBlock) {
  ShiftingSpy inner(16, &log, "in"), outer(32, &log, "out");
  ASSERT_EQ(S_OK, chain.Add(&inner, MALLOCSPY_SEE_MALLOC));
  ASSERT_EQ(S_OK, chain.Add(&outer, MALLOCSPY_SEE_MALLOC));
  char* pointer = static_cast<char*>(Alloc(10, kMalloc));
  char* block = pointer - 48;
  ASSERT_TRUE(heap.IsLive(block));
  EXPECT_EQ(58u, heap.SizeOf(block));
  EXPECT_EQ(10u, chain.SizeOf(heap, pointer, Door::kMalloc));
  EXPECT_EQ(0, chain.DidAlloc(heap, pointer - 32, Door::kTask)) << "a pointer between the two spies";
  EXPECT_EQ(1, chain.DidAlloc(heap, pointer, Door::kTask));
  EXPECT_EQ(pointer, outer.got);
  EXPECT_EQ(pointer - 32, inner.got) << "each PostDidAlloc gets what its own PreDidAlloc got";
  pointer = static_cast<char*>(chain.Reallocate(heap, pointer, 20, kMalloc));
  EXPECT_EQ(20u, chain.SizeOf(heap, pointer, Door::kMalloc));
  Free(pointer, kMalloc);
  EXPECT_TRUE(heap.blocks.empty());
  EXPECT_THAT(heap.breaches, IsEmpty());
  EXPECT_FALSE(chain.HasShifted());
}

TEST_F(SpyOrderTest, ABlockTakenOverByTheOuterSpyIsStillTheInnerSpys) {
  ShiftingSpy inner(16, &log, "in"), outer(32, &log, "out");
  ASSERT_EQ(S_OK, chain.Add(&inner, 0));
  ASSERT_EQ(S_OK, chain.Add(&outer, 0));
  char* pointer = static_cast<char*>(Alloc(10));
  char* between = pointer - 32;
  char* block = pointer - 48;
  outer.on_pre_free = [](void*, BOOL) -> void* { return nullptr; };
  TakeLog();
  Free(pointer);
  EXPECT_THAT(TakeLog(), ElementsAre("out:PreFree 1", "out:PostFree 1"));
  EXPECT_TRUE(heap.IsLive(block));
  EXPECT_EQ(S_OK, chain.Remove(&outer)) << "it counts no longer for the outer one";
  EXPECT_EQ(E_ACCESSDENIED, chain.Remove(&inner)) << "but for the inner one";
  Free(between);  // what the outer spy holds
  EXPECT_THAT(heap.freed, ElementsAre(FakeHeap::Freed{block, Door::kTask}));
  EXPECT_EQ(1, inner.releases);
  EXPECT_THAT(heap.breaches, IsEmpty());
}

TEST_F(SpyOrderTest, ABlockTakenOverByTheInnerSpyIsGoneForTheOuterOne) {
  RecordingSpy inner(&log, "in"), outer(&log, "out");
  ASSERT_EQ(S_OK, chain.Add(&inner, 0));
  ASSERT_EQ(S_OK, chain.Add(&outer, 0));
  void* first = Alloc(10);
  void* second = Alloc(11);
  void* kept = nullptr;
  inner.on_pre_free = [&](void* pointer, BOOL) -> void* { return std::exchange(kept, pointer); };
  TakeLog();
  Free(first);
  EXPECT_THAT(TakeLog(), ElementsAre("out:PreFree 1", "in:PreFree 1", "in:PostFree 1", "out:PostFree 1"));
  EXPECT_EQ(0, heap.SpiedSet(first));
  Free(second);
  EXPECT_THAT(heap.freed, ElementsAre(FakeHeap::Freed{first, Door::kNone}));
  EXPECT_EQ(S_OK, chain.Remove(&outer));
  EXPECT_EQ(S_OK, chain.Remove(&inner));
}

TEST_F(SpyOrderTest, AnExchangedBlockIsUnspiedForTheOuterAndSpiedForTheInner) {
  ShiftingSpy inner(16, &log, "in");
  RecordingSpy outer(&log, "out");
  ASSERT_EQ(S_OK, chain.Add(&inner, 0));
  ASSERT_EQ(S_OK, chain.Add(&outer, 0));
  void* first = Alloc(10);
  void* second = Alloc(11);
  void* kept = nullptr;
  outer.on_pre_free = [&](void* pointer, BOOL) -> void* { return std::exchange(kept, pointer); };
  Free(first);
  TakeLog();
  Free(second);
  EXPECT_THAT(TakeLog(), ElementsAre("out:PreFree 1", "in:PreFree 1", "in:PostFree 1", "out:PostFree 1"));
  EXPECT_EQ(1u, heap.freed.size());
  EXPECT_EQ(1u, heap.blocks.size());
  EXPECT_THAT(heap.breaches, IsEmpty());
}

TEST_F(SpyOrderTest, TheSpyThatBreaksTheContractIsSetRightForThoseInside) {
  ShiftingSpy inner(16, &log, "in"), outer(32, &log, "out");
  ASSERT_EQ(S_OK, chain.Add(&inner, 0));
  ASSERT_EQ(S_OK, chain.Add(&outer, 0));
  outer.on_pre_get_size = nullptr;  // forgets to map back
  char* pointer = static_cast<char*>(Alloc(10));
  chain.SizeOf(heap, pointer, Door::kTask);
  EXPECT_EQ(pointer - 32, inner.got);
  EXPECT_THAT(heap.breaches, ElementsAre("PreGetSize returned a pointer that is no live block"));
}

TEST_F(SpyOrderTest, ASpyThatDoesNotSeeMallocIsToldWhenItsBlockGoesThroughIt) {
  RecordingSpy task_only(&log, "task"), all(&log, "all");
  ASSERT_EQ(S_OK, chain.Add(&task_only, 0));
  ASSERT_EQ(S_OK, chain.Add(&all, MALLOCSPY_SEE_MALLOC));
  void* task_block = Alloc(1, kTask);
  void* block = Alloc(2, kMalloc);
  TakeLog();
  chain.SizeOf(heap, task_block, Door::kMalloc);
  EXPECT_THAT(TakeLog(),
              ElementsAre("all:PreGetSize 1", "task:PreGetSize 1", "task:PostGetSize 1 1", "all:PostGetSize 1 1"));
  block = chain.Reallocate(heap, block, 3, kMalloc);
  EXPECT_THAT(TakeLog(), ElementsAre("all:PreRealloc 3 1", "all:PostRealloc 1"));
  task_block = chain.Reallocate(heap, task_block, 3, kMalloc);
  TakeLog();
  EXPECT_EQ(E_ACCESSDENIED, chain.Remove(&task_only));
  Free(task_block, kMalloc);
  EXPECT_EQ(1, task_only.releases);
  Free(block, kTask);
  EXPECT_EQ(S_OK, chain.Remove(&all));
}

TEST_F(SpyOrderTest, PendingRevokesEndOneByOne) {
  RecordingSpy first(&log, "1"), second(&log, "2");
  ASSERT_EQ(S_OK, chain.Add(&first, 0));
  void* both = Alloc(1);
  ASSERT_EQ(S_OK, chain.Add(&second, 0));
  void* of_two = Alloc(2);
  both = chain.Reallocate(heap, both, 3, kTask);
  ASSERT_EQ(E_ACCESSDENIED, chain.Remove(&first));
  ASSERT_EQ(E_ACCESSDENIED, chain.Remove(&second));
  Free(of_two);
  EXPECT_EQ(0, first.releases + second.releases);
  Free(both);
  EXPECT_EQ(1, first.releases);
  EXPECT_EQ(1, second.releases);
  EXPECT_FALSE(chain.Active());
}

}  // namespace
}  // namespace mallocspy

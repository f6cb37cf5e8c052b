#include "allocator/fast_path.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "allocator/capture/unwinder.h"
#include "allocator/entrance.h"
#include "tests/allocator/fresh_process.h"
#include "tests/allocator/recorded_errors.h"

namespace mallocspy {
namespace {

void Prepare() {
  ASSERT_TRUE(EnsureStarted());
  ASSERT_TRUE(LoadUnwinder());
#if !defined(__SANITIZE_THREAD__)
  WatchThreadEnds();
#endif
}

// One place of the program, by the fast path only or, with `slowly`, as if there were none.
__attribute__((noinline)) void* AllocateHere(size_t bytes, bool slowly, Door door = Door::kMalloc, bool zeroed = false) {
  const DoorFrame* frame = MALLOCSPY_DOOR_FRAME();
  void* block = slowly ? g_heap.Allocate(bytes, {.door = door, .zeroed = zeroed, .frame = frame})
                       : fast_path::Allocate(bytes, door, zeroed, frame);
  asm volatile("" ::"r"(block) : "memory");
  return block;
}
__attribute__((noinline)) void* ResizeHere(void* block, size_t bytes, bool slowly) {
  const DoorFrame* frame = MALLOCSPY_DOOR_FRAME();
  void* resized = slowly ? g_heap.Reallocate(block, bytes, {.door = Door::kMalloc, .frame = frame})
                         : fast_path::Resize(block, bytes, Door::kMalloc, frame);
  asm volatile("" ::"r"(resized) : "memory");
  return resized;
}

// Calls with both ways from the same place: first slowly, so that the stack is known, then fast.
struct Pair {
  void* slow;
  void* fast;
};
Pair AllocateTwice(size_t bytes, Door door = Door::kMalloc, bool zeroed = false) {
  void* blocks[2];
  for (int i = 0; i < 2; ++i) {
    blocks[i] = AllocateHere(bytes, i == 0, door, zeroed);
    asm volatile("" : "+r"(i));  // the same call
  }
  return {blocks[0], blocks[1]};
}

bool Frees(void* block, size_t claimed = fast_path::kNoSize, Door door = Door::kMalloc) {
  return fast_path::Free(block, claimed, door, MALLOCSPY_DOOR_FRAME());
}
void FreeSlowly(void* block, Door door = Door::kMalloc) { g_heap.Deallocate(block, {.door = door}); }

TEST(FastPath, LeavesWhatIsNotRecordedAlone) {
  InFreshProcess([] {
    SetOptions("record=task");
    Prepare();
    EXPECT_EQ(AllocateHere(40, false), nullptr);
    EXPECT_EQ(AllCounters(), Counters{});
    void* block = AllocateHere(40, true, Door::kTask);
    EXPECT_TRUE(Frees(block, fast_path::kNoSize, Door::kTask));
  });
}

TEST(FastPath, NewStacksToo) {
  InFreshProcess([] {
    Prepare();
    { const Event first; }  // it gives the thread its state
    void* block = nullptr;
    for (int i = 0; i < 2; ++i) {
      block = AllocateHere(40, false);
      ASSERT_NE(block, nullptr);
      EXPECT_NE(HeaderOf(block)->stack, 0u);
      EXPECT_TRUE(Frees(block));
    }
    EXPECT_EQ(AllCounters(), (Counters{2, 80, 2, 80}));
  });
}

class OfSize : public testing::TestWithParam<size_t> {};
INSTANTIATE_TEST_SUITE_P(FastPath, OfSize, testing::Values(0, 1, 7, 8, 9, 16, 24, 100, 487, 488, 489, 512, 513, 5000, 300000));

TEST_P(OfSize, DoesWhatTheSlowOneDoes) {
  const size_t bytes = GetParam();
  InFreshProcess([bytes] {
    Prepare();
    for (const Door door : {Door::kTask, Door::kMalloc, Door::kNew, Door::kNewArray}) {
      const Counters before = AllCounters();
      const int64_t live_before = LiveBytes();
      const Pair pair = AllocateTwice(bytes, door);
      ASSERT_NE(pair.fast, nullptr);
      EXPECT_TRUE(g_heap.IsLive(pair.fast));
      EXPECT_EQ(g_heap.SizeOf(pair.fast), bytes);
      std::memset(pair.fast, 0x5a, bytes);
      const BlockHeader& slow = *HeaderOf(pair.slow);
      const BlockHeader& fast = *HeaderOf(pair.fast);
      EXPECT_EQ(fast.stack, slow.stack);
      EXPECT_EQ(fast.mark, slow.mark);
      EXPECT_EQ(fast.size, slow.size);
      EXPECT_EQ(fast.door, slow.door);
      EXPECT_EQ(fast.guarded, slow.guarded);
      EXPECT_EQ(fast.owner, slow.owner);
      EXPECT_EQ(fast.spied, 0);
      EXPECT_TRUE(IsSealed(&fast));
      EXPECT_EQ(CheckGuard(pair.fast, bytes), 0u);
      EXPECT_EQ(LiveBytes() - live_before, static_cast<int64_t>(2 * bytes));
      FreeSlowly(pair.slow, door);
      EXPECT_TRUE(Frees(pair.fast, door == Door::kNew ? bytes : fast_path::kNoSize, door));
      EXPECT_FALSE(g_heap.IsLive(pair.fast));
      EXPECT_EQ(LiveBytes(), live_before);
      const Counters after = AllCounters();
      EXPECT_EQ(after.allocations - before.allocations, 2u);
      EXPECT_EQ(after.allocated_bytes - before.allocated_bytes, 2 * bytes);
      EXPECT_EQ(after.frees - before.frees, 2u);
      EXPECT_EQ(after.freed_bytes - before.freed_bytes, 2 * bytes);
    }
    EXPECT_TRUE(RecordedErrors().empty());
  });
}

TEST_P(OfSize, ZeroesWhatWasUsedBefore) {
  const size_t bytes = GetParam();
  InFreshProcess([bytes] {
    Prepare();
    for (int round = 0; round < 20; ++round) {
      const Pair pair = AllocateTwice(bytes, Door::kMalloc, true);
      for (void* block : {pair.slow, pair.fast}) {
        for (size_t i = 0; i < bytes; ++i) ASSERT_EQ(static_cast<char*>(block)[i], 0) << i;
        std::memset(block, 0xff, bytes);
        EXPECT_TRUE(Frees(block));
      }
    }
  });
}

TEST_P(OfSize, WithoutGuards) {
  const size_t bytes = GetParam();
  InFreshProcess([bytes] {
    SetOptions("guard=0");
    Prepare();
    const Pair pair = AllocateTwice(bytes);
    ASSERT_NE(pair.fast, nullptr);
    EXPECT_FALSE(HeaderOf(pair.fast)->guarded);
    std::memset(pair.fast, 0x5a, bytes);
    EXPECT_TRUE(Frees(pair.fast));
    EXPECT_TRUE(Frees(pair.slow));
    EXPECT_TRUE(RecordedErrors().empty());
  });
}

// What is out of the ordinary is not touched.
TEST(FastPath, LeavesOtherFreesAlone) {
  InFreshProcess([] {
    Prepare();
    char* block = static_cast<char*>(AllocateTwice(100).fast);
    ASSERT_NE(block, nullptr);
    const Counters before = AllCounters();
    EXPECT_FALSE(Frees(nullptr));
    EXPECT_FALSE(Frees(&block));
    EXPECT_FALSE(Frees(block + 16));
    EXPECT_FALSE(Frees(block + 1));
    EXPECT_FALSE(Frees(reinterpret_cast<void*>(uintptr_t{1} << 60)));
    EXPECT_FALSE(Frees(block, fast_path::kNoSize, Door::kNew)) << "another door";
    EXPECT_FALSE(Frees(block, 99)) << "another size";
    block[100] ^= 1;
    EXPECT_FALSE(Frees(block)) << "an overflow";
    block[100] ^= 1;
    block[-1] ^= 1;
    EXPECT_FALSE(Frees(block)) << "an underflow";
    block[-1] ^= 1;
    g_heap.SetSpiedSet(block, 1);
    EXPECT_FALSE(Frees(block)) << "a spied one";
    g_heap.SetSpiedSet(block, 0);
    bool freed_by_another = true;
    std::thread([&] { freed_by_another = Frees(block); }).join();
    EXPECT_FALSE(freed_by_another);
    {
      const Event event;
      EXPECT_FALSE(Frees(block)) << "inside of an event";
      EXPECT_EQ(AllocateHere(100, false), nullptr);
    }
    EXPECT_TRUE(g_heap.IsLive(block));
    EXPECT_EQ(AllCounters(), before);
    EXPECT_TRUE(Frees(block));
    EXPECT_FALSE(Frees(block)) << "a second time";
    EXPECT_TRUE(RecordedErrors().empty()) << "that is for others to say";
  });
}

TEST(FastPath, InheritedBlocksAreTheParents) {
  InFreshProcess([] {
    Prepare();
    void* block = AllocateTwice(100).fast;
    EXPECT_TRUE(EndsWell(ForkWith([block] {
      ASSERT_TRUE(EnsureStarted());
      EXPECT_FALSE(Frees(block));
      const Pair pair = AllocateTwice(100);
      ASSERT_NE(pair.fast, nullptr);
      EXPECT_EQ(AllCounters().allocations, 2u) << "counted in the child's ledger";
      EXPECT_TRUE(Frees(pair.fast));
      EXPECT_EQ(AllCounters().frees, 1u);
    })));
    EXPECT_TRUE(Frees(block));
  });
}

TEST(FastPath, ResizesInPlace) {
  InFreshProcess([] {
    Prepare();
    char* block = static_cast<char*>(AllocateTwice(100).fast);
    std::memset(block, 0x5a, 100);
    for (int i = 0; i < 2; ++i) {
      char* resized = static_cast<char*>(ResizeHere(block, i == 0 ? 102 : 97, i == 0));
      ASSERT_NE(resized, nullptr);
      block = resized;
      asm volatile("" : "+r"(i));
    }
    EXPECT_EQ(g_heap.SizeOf(block), 97u);
    EXPECT_EQ(CheckGuard(block, 97), 0u);
    for (int i = 0; i < 97; ++i) EXPECT_EQ(block[i], 0x5a);
    const Counters counters = AllCounters();
    EXPECT_EQ(counters.allocations, 4u);
    EXPECT_EQ(counters.allocated_bytes, 100u + 100 + 102 + 97);
    EXPECT_EQ(counters.frees, 2u);
    EXPECT_EQ(counters.freed_bytes, 100u + 102);
    EXPECT_EQ(LiveBytes(), 197);
    EXPECT_EQ(ResizeHere(block, 300, false), nullptr) << "it would not fit";
    block[97] ^= 1;
    EXPECT_EQ(ResizeHere(block, 98, false), nullptr) << "an overflow";
    block[97] ^= 1;
    EXPECT_TRUE(Frees(block));
    EXPECT_EQ(ResizeHere(block, 98, false), nullptr) << "freed";
    EXPECT_TRUE(RecordedErrors().empty());
  });
}

TEST(FastPath, IsNotUsedWhereCapturesAreChecked) {
  InFreshProcess([] {
    SetOptions("check_capture=1");
    Prepare();
    const Pair pair = AllocateTwice(100);
    EXPECT_EQ(pair.fast, nullptr);
    Frees(pair.slow);
  });
}

}  // namespace
}  // namespace mallocspy

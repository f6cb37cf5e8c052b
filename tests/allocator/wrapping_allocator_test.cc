#include "allocator/wrapping_allocator.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "allocator/ledger/live_map.h"
#include "allocator/process.h"
#include "allocator/system/wrapped_malloc.h"
#include "tests/allocator/fresh_process.h"
#include "tests/allocator/recorded_errors.h"

namespace mallocspy {
namespace {

using ledger::BlockState;
using ledger::g_ledger;
using ledger::g_live_map;

constexpr Door kDoorsOfBlocks[] = {Door::kTask,          Door::kMalloc,     Door::kNew,
                                   Door::kNewArray,      Door::kAlignedMalloc, Door::kAlignedNew,
                                   Door::kAlignedNewArray};

BlockState StateOf(const void* block) { return g_live_map.StateOf(reinterpret_cast<uintptr_t>(block)); }

bool IsFilledWith(const void* block, unsigned char value, size_t bytes) {
  const unsigned char* at = static_cast<const unsigned char*>(block);
  for (size_t i = 0; i < bytes; ++i) {
    if (at[i] != value) return false;
  }
  return true;
}

class OfEveryDoor : public testing::TestWithParam<Door> {};
INSTANTIATE_TEST_SUITE_P(WrappingAllocator, OfEveryDoor, testing::ValuesIn(kDoorsOfBlocks));

TEST_P(OfEveryDoor, EverySizeAndAlignment) {
  const Door door = GetParam();
  InFreshProcess([door] {
    const size_t highest = IsAligned(door) ? size_t{1} << 20 : kMinAlignment;
    for (size_t alignment = kMinAlignment; alignment <= highest; alignment *= 2) {
      for (const size_t bytes : {0, 1, 7, 8, 15, 16, 17, 24, 27, 100, 4095, 4096, 4097, 200000}) {
        const Request request{.door = door, .alignment = alignment};
        errno = 4711;
        void* block = g_heap.Allocate(bytes, request);
        ASSERT_NE(block, nullptr);
        EXPECT_EQ(errno, 4711);
        EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % alignment, 0u) << bytes;
        EXPECT_TRUE(g_heap.IsLive(block));
        EXPECT_EQ(g_heap.SizeOf(block), bytes);
        EXPECT_EQ(g_heap.SpiedSet(block), 0);
        const BlockHeader& header = *HeaderOf(block);
        EXPECT_EQ(static_cast<Door>(header.door), door);
        EXPECT_EQ(header.mark, 1);
        EXPECT_TRUE(!IsAligned(door) || ExtensionOf(block)->alignment == alignment);
        std::memset(block, 0xab, bytes);
        EXPECT_TRUE(IsSealed(&header)) << "the program's bytes are its own";
        EXPECT_EQ(CheckGuard(block, bytes), 0u);
        errno = 4711;
        g_heap.Deallocate(block, {.door = door});
        EXPECT_EQ(errno, 4711);
        EXPECT_FALSE(g_heap.IsLive(block));
      }
    }
    EXPECT_TRUE(RecordedErrors().empty());
    const Counters counters = AllCounters();
    EXPECT_EQ(counters.allocations, counters.frees);
    EXPECT_EQ(counters.allocated_bytes, counters.freed_bytes);
    EXPECT_EQ(g_ledger.header().live_bytes.load(), 0u);
  });
}

TEST_P(OfEveryDoor, ZeroedOnes) {
  const Door door = GetParam();
  InFreshProcess([door] {
    const Request request{.door = door, .alignment = IsAligned(door) ? size_t{64} : kMinAlignment, .zeroed = true};
    for (int round = 0; round < 50; ++round) {
      void* block = g_heap.Allocate(1000, request);
      ASSERT_TRUE(IsFilledWith(block, 0, 1000));
      std::memset(block, 0xff, 1000);  // the next one may lie here
      g_heap.Deallocate(block, {.door = door});
    }
    EXPECT_TRUE(RecordedErrors().empty());
  });
}

TEST_P(OfEveryDoor, EmptyBlocksDiffer) {
  const Door door = GetParam();
  InFreshProcess([door] {
    std::set<void*> blocks;
    for (int i = 0; i < 1000; ++i) blocks.insert(g_heap.Allocate(0, {.door = door}));
    EXPECT_EQ(blocks.size(), 1000u);
    EXPECT_EQ(blocks.count(nullptr), 0u);
    for (void* block : blocks) {
      EXPECT_EQ(g_heap.SizeOf(block), 0u);
      g_heap.Deallocate(block, {.door = door});
    }
    EXPECT_TRUE(RecordedErrors().empty());
  });
}

TEST_P(OfEveryDoor, TooMuchIsRefusedWithoutATrace) {
  const Door door = GetParam();
  InFreshProcess([door] {
    g_heap.Deallocate(g_heap.Allocate(1, {.door = door}), {.door = door});
    const Counters before = AllCounters();
    for (const size_t bytes : {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 15, SIZE_MAX - 16, SIZE_MAX - 31, SIZE_MAX - 4096,
                               SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX / 2 - 8192, size_t{1} << 47, size_t{1} << 46}) {
      for (const bool zeroed : {false, true}) {
        errno = 0;
        EXPECT_EQ(g_heap.Allocate(bytes, {.door = door, .zeroed = zeroed}), nullptr) << bytes;
        EXPECT_EQ(errno, ENOMEM) << bytes;
      }
    }
    if (IsAligned(door)) {
      for (const size_t alignment : {size_t{1} << 47, size_t{1} << 62, size_t{1} << 63}) {
        errno = 0;
        EXPECT_EQ(g_heap.Allocate(1, {.door = door, .alignment = alignment}), nullptr);
        EXPECT_EQ(errno, ENOMEM);
      }
    }
    EXPECT_EQ(AllCounters(), before);
  });
}

TEST(WrappingAllocator, CountsBlocksAndBytes) {
  InFreshProcess([] {
    void* first = g_heap.Allocate(100, {});
    void* second = g_heap.Allocate(0, {});
    void* third = g_heap.Allocate(27, {.door = Door::kNew});
    EXPECT_EQ(AllCounters(), (Counters{3, 127, 0, 0}));
    EXPECT_EQ(LiveBytes(), 127);
    g_heap.Deallocate(first, {});
    EXPECT_EQ(AllCounters(), (Counters{3, 127, 1, 100}));
    EXPECT_EQ(CountersOf(HeaderOf(third)->stack), (Counters{1, 27, 0, 0}));
    g_heap.Deallocate(second, {});
    g_heap.Deallocate(third, {.door = Door::kNew});
    EXPECT_EQ(AllCounters(), (Counters{3, 127, 3, 127}));
    EXPECT_EQ(LiveBytes(), 0);
    ledger::CollectLiveBytes();
    EXPECT_EQ(g_ledger.header().peak_bytes.load(), 127);
  });
}

TEST(WrappingAllocator, ThePeakIsOfAllThreads) {
  InFreshProcess([] {
    WatchThreadEnds();
    void* here = g_heap.Allocate(1000, {});
    std::thread([] { g_heap.Deallocate(g_heap.Allocate(500, {}), {}); }).join();
    g_heap.Deallocate(here, {});
    g_heap.Deallocate(g_heap.Allocate(1200, {}), {});
    ledger::CollectLiveBytes();
    EXPECT_EQ(g_ledger.header().peak_bytes.load(), 1500);
  });
}

TEST(WrappingAllocator, KnowsOnlyWhatItMade) {
  InFreshProcess([] {
    char* block = static_cast<char*>(g_heap.Allocate(100, {}));
    static int global;
    int local;
    void* foreign = wrapped::Malloc(100);
    for (const void* pointer : std::initializer_list<const void*>{
             nullptr, block + 1, block + 16, block - 16, &global, &local, foreign, reinterpret_cast<void*>(1),
             reinterpret_cast<void*>(0x7ffffffffff0), reinterpret_cast<void*>(0x800000000000),
             reinterpret_cast<void*>(0xfffffffffffffff0), reinterpret_cast<void*>(&std::memcpy)}) {
      EXPECT_FALSE(g_heap.IsLive(pointer)) << pointer;
      EXPECT_EQ(g_heap.SizeOf(pointer), static_cast<size_t>(-1)) << pointer;
      EXPECT_EQ(g_heap.SpiedSet(pointer), 0) << pointer;
      g_heap.SetSpiedSet(const_cast<void*>(pointer), 1);
    }
    wrapped::Free(foreign);
    g_heap.Deallocate(block, {});
    EXPECT_FALSE(g_heap.IsLive(block));
    EXPECT_EQ(g_heap.SizeOf(block), static_cast<size_t>(-1));
  });
}

TEST(WrappingAllocator, FreeingNothingIsNothing) {
  InFreshProcess([] {
    g_heap.Deallocate(nullptr, {});
    EXPECT_EQ(g_heap.SizeOf(nullptr), static_cast<size_t>(-1));
    EXPECT_EQ(CurrentPhase(), Phase::kNotStarted) << "not even a start";
  });
}

TEST(WrappingAllocator, TheSpiedSetIsKept) {
  InFreshProcess([] {
    void* block = g_heap.Allocate(100, {});
    for (int set = 0; set < 256; ++set) {
      g_heap.SetSpiedSet(block, static_cast<SpiedBy>(set));
      ASSERT_EQ(g_heap.SpiedSet(block), set);
      ASSERT_EQ(g_heap.SizeOf(block), 100u);
      ASSERT_TRUE(IsSealed(HeaderOf(block)));
    }
    g_heap.Deallocate(block, {});
    EXPECT_TRUE(RecordedErrors().empty());
  });
}

TEST(WrappingAllocator, WithoutGuards) {
  InFreshProcess([] {
    SetOptions("guard=0");
    for (const size_t bytes : {0, 1, 16, 100}) {
      char* block = static_cast<char*>(g_heap.Allocate(bytes, {}));
      EXPECT_EQ(HeaderOf(block)->guarded, 0u);
      g_heap.Deallocate(block, {});
    }
    EXPECT_EQ(g_ledger.header().guard, 0u);
    EXPECT_TRUE(RecordedErrors().empty());
  });
}

TEST(WrappingAllocator, RecordsOnlyTheTaskDoorIfAsked) {
  InFreshProcess([] {
    SetOptions("record=task");
    void* task = g_heap.Allocate(100, {.door = Door::kTask});
    EXPECT_TRUE(g_heap.IsLive(task));
    for (const Door door : kDoorsOfBlocks) {
      if (door == Door::kTask) continue;
      void* block = g_heap.Allocate(100, {.door = door, .alignment = IsAligned(door) ? size_t{256} : size_t{16}});
      ASSERT_NE(block, nullptr);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % (IsAligned(door) ? 256 : 16), 0u);
      EXPECT_FALSE(g_heap.IsLive(block));
      block = g_heap.Reallocate(block, 5000, {.door = door});
      ASSERT_NE(block, nullptr);
      EXPECT_FALSE(g_heap.IsLive(block));
      g_heap.Deallocate(block, {.door = door});
    }
    EXPECT_EQ(AllCounters(), (Counters{1, 100, 0, 0}));
    EXPECT_EQ(g_ledger.header().foreign_frees.load(), 0u);
    EXPECT_EQ(g_ledger.header().bypassed.load(), 0u);
    EXPECT_TRUE(RecordedErrors().empty());
    g_heap.Deallocate(task, {.door = Door::kTask});
  });
}

// With record=task: memory that was a task block's is malloc's next, and is freed like any other.
TEST(WrappingAllocator, UnrecordedBlocksWhereRecordedOnesWere) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    SetOptions("record=task");
    // Large ones, which glibc joins when they are freed, and then small ones, cut out of what was joined.
    std::vector<void*> task;
    for (size_t i = 0; i < 200; ++i) task.push_back(g_heap.Allocate(1500 + i % 50 * 16, {.door = Door::kTask}));
    for (void* block : task) g_heap.Deallocate(block, {.door = Door::kTask});
    const std::set<void*> freed(task.begin(), task.end());
    int met = 0;
    std::vector<void*> plain;
    for (size_t i = 0; i < 4000; ++i) {
      void* block = g_heap.Allocate(i % 7 * 16, {});
      if (i % 3 == 0) block = g_heap.Reallocate(block, i % 11 * 16 + 1, {});
      met += static_cast<int>(freed.count(block));
      plain.push_back(block);
    }
    EXPECT_GT(met, 0) << "some must lie where others were, for this test to tell anything";
    for (void* block : plain) g_heap.Deallocate(block, {});
    EXPECT_TRUE(RecordedErrors().empty());
    EXPECT_EQ(AllCounters().allocations, AllCounters().frees);
  });
}

TEST(WrappingAllocator, InsideAnEventBlocksArePlain) {
  InFreshProcess([] {
    void* recorded = g_heap.Allocate(100, {});
    const Counters before = AllCounters();
    void* plain;
    void* aligned;
    {
      const Event event;
      plain = g_heap.Allocate(100, {});
      aligned = g_heap.Allocate(100, {.door = Door::kAlignedMalloc, .alignment = 4096});
      ASSERT_NE(plain, nullptr);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(aligned) % 4096, 0u);
      EXPECT_EQ(StateOf(plain), BlockState::kPlain);
      EXPECT_FALSE(g_heap.IsLive(plain));
      void* other = g_heap.Allocate(10, {});
      other = g_heap.Reallocate(other, 100000, {});
      EXPECT_EQ(StateOf(other), BlockState::kPlain);
      g_heap.Deallocate(other, {});
      EXPECT_EQ(StateOf(other), BlockState::kUnknown);
      EXPECT_EQ(AllCounters(), before);
      EXPECT_EQ(g_ledger.header().bypassed.load(), 3u);
      // A recorded block freed in there is counted, so that it is no leak.
      g_heap.Deallocate(recorded, {});
      EXPECT_EQ(AllCounters(), (Counters{1, 100, 1, 100}));
    }
    plain = g_heap.Reallocate(plain, 5000, {});
    EXPECT_EQ(StateOf(plain), BlockState::kPlain);
    g_heap.Deallocate(plain, {});
    g_heap.Deallocate(aligned, {});
    EXPECT_EQ(AllCounters(), (Counters{1, 100, 1, 100}));
    EXPECT_TRUE(RecordedErrors().empty());
    EXPECT_EQ(g_ledger.header().foreign_frees.load(), 0u);
  });
}

TEST(WrappingAllocator, ARecordedBlockResizedInsideAnEventBecomesPlain) {
  InFreshProcess([] {
    char* block = static_cast<char*>(g_heap.Allocate(100, {}));
    std::memset(block, 0x5a, 100);
    {
      const Event event;
      block = static_cast<char*>(g_heap.Reallocate(block, 50000, {}));
      ASSERT_NE(block, nullptr);
      EXPECT_EQ(StateOf(block), BlockState::kPlain);
      EXPECT_TRUE(IsFilledWith(block, 0x5a, 100));
    }
    EXPECT_EQ(AllCounters(), (Counters{1, 100, 1, 100}));
    g_heap.Deallocate(block, {});
    EXPECT_TRUE(RecordedErrors().empty());
  });
}

TEST(WrappingAllocator, AfterTheEndEverythingStillWorks) {
  InFreshProcess([] {
    std::vector<void*> blocks;
    for (const Door door : kDoorsOfBlocks) blocks.push_back(g_heap.Allocate(100, {.door = door}));
    char* resized = static_cast<char*>(g_heap.Allocate(100, {}));
    std::memset(resized, 0x5a, 100);
    const Counters before = AllCounters();
    SetPhase(Phase::kOver);
    for (size_t i = 0; i < blocks.size(); ++i) g_heap.Deallocate(blocks[i], {.door = kDoorsOfBlocks[i]});
    resized = static_cast<char*>(g_heap.Reallocate(resized, 5000, {}));
    ASSERT_NE(resized, nullptr);
    EXPECT_TRUE(IsFilledWith(resized, 0x5a, 100));
    resized = static_cast<char*>(g_heap.Reallocate(resized, 50, {}));
    EXPECT_TRUE(IsFilledWith(resized, 0x5a, 50));
    g_heap.Deallocate(resized, {});
    void* late = g_heap.Allocate(64, {.door = Door::kAlignedNew, .alignment = 64});
    EXPECT_EQ(reinterpret_cast<uintptr_t>(late) % 64, 0u);
    g_heap.Deallocate(late, {.door = Door::kAlignedNew});
    EXPECT_EQ(AllCounters(), before) << "the record is closed";
    EXPECT_EQ(g_ledger.header().bypassed.load(), 0u);
  });
}

TEST(WrappingAllocator, GivesMemoryBack) {
  InFreshProcess([] {
    wrapped::Bind();
    errno = 4711;
    g_heap.Minimize();
    EXPECT_EQ(errno, 4711);
  });
}

TEST(WrappingAllocator, BlocksMoveBetweenThreads) {
  InFreshProcess([] {
    constexpr int kBlocks = 1000;
    std::vector<void*> blocks(kBlocks);
    std::thread([&] {
      for (void*& block : blocks) block = g_heap.Allocate(10, {});
    }).join();
    std::thread([&] {
      for (void* block : blocks) g_heap.Deallocate(block, {});
    }).join();
    EXPECT_EQ(AllCounters(), (Counters{kBlocks, 10 * kBlocks, kBlocks, 10 * kBlocks}));
  });
}

}  // namespace
}  // namespace mallocspy

#include "allocator/heap_sweep.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <thread>
#include <vector>

#include "allocator/entrance.h"
#include "allocator/process.h"
#include "allocator/wrapping_allocator.h"
#include "tests/allocator/fresh_process.h"
#include "tests/allocator/recorded_errors.h"

namespace mallocspy {
namespace {

using ledger::ErrorKind;

char* Make(size_t bytes) { return static_cast<char*>(g_heap.Allocate(bytes, {})); }

TEST(HeapSweep, OfASoundHeapSaysSoAndKeepsErrno) {
  InFreshProcess([] {
    std::vector<char*> blocks;
    for (size_t i = 0; i < 100; ++i) blocks.push_back(Make(i));
    errno = 77;
    EXPECT_EQ(SweepHeap(nullptr), MALLOCSPY_HEAP_OK);
    EXPECT_EQ(errno, 77);
    EXPECT_TRUE(RecordedErrors().empty());
    for (char* block : blocks) g_heap.Deallocate(block, {});
  });
}

TEST(HeapSweep, TellsEachDamageOnceUntilTheBlockEnds) {
  InFreshProcess([] {
    char* block = Make(24);
    block[25] = static_cast<char>(block[25] + 1);
    EXPECT_EQ(SweepHeap(nullptr), MALLOCSPY_HEAP_BAD_END);
    EXPECT_EQ(SweepHeap(nullptr), MALLOCSPY_HEAP_BAD_END);
    ASSERT_EQ(RecordedErrors().size(), 1u);
    RecordedError error = RecordedErrors()[0];
    EXPECT_EQ(error.kind, ErrorKind::kHeapOverflow);
    EXPECT_EQ(error.size, 24u);
    EXPECT_EQ(error.value, 25u);
    EXPECT_EQ(error.count, 1u);
    EXPECT_EQ(error.used, Door::kNone);
    g_heap.Deallocate(block, {});
    ASSERT_EQ(RecordedErrors().size(), 1u);
    EXPECT_EQ(RecordedErrors()[0].count, 1u);
    EXPECT_EQ(SweepHeap(nullptr), MALLOCSPY_HEAP_OK);
  });
}

TEST(HeapSweep, ANewBlockAtTheSamePlaceIsAnother) {
  InFreshProcess([] {
    const auto damage = [] {
      char* block = Make(24);
      block[24] = static_cast<char>(block[24] + 1);
      SweepHeap(nullptr);
      g_heap.Deallocate(block, {});
    };
    for (int i = 0; i < 3; ++i) damage();
    uint64_t count = 0;
    for (const RecordedError& error : RecordedErrors()) count += error.count;
    EXPECT_EQ(count, 3u);
  });
}

TEST(HeapSweep, SeesWhatIsInFrontOfABlock) {
  InFreshProcess([] {
    char* block = Make(24);
    block[-3] = static_cast<char>(block[-3] + 1);
    EXPECT_EQ(SweepHeap(nullptr), MALLOCSPY_HEAP_BAD_FRONT);
    ASSERT_EQ(RecordedErrors().size(), 1u);
    EXPECT_EQ(RecordedErrors()[0].kind, ErrorKind::kHeapUnderflow);
  });
}

TEST(HeapSweep, SeesFreedBlocksThatAreKept) {
  InFreshProcess([] {
    SetOptions("quarantine_mb=1");
    char* block = Make(24);
    g_heap.Deallocate(block, {});
    EXPECT_EQ(SweepHeap(nullptr), MALLOCSPY_HEAP_OK);
    block[3] = 0;
    EXPECT_EQ(SweepHeap(nullptr), MALLOCSPY_HEAP_WRITTEN_AFTER_FREE);
    EXPECT_EQ(SweepHeap(nullptr), MALLOCSPY_HEAP_WRITTEN_AFTER_FREE);
    ASSERT_EQ(RecordedErrors().size(), 1u);
    EXPECT_EQ(RecordedErrors()[0].value, 3u);
    EXPECT_EQ(RecordedErrors()[0].count, 1u);
  });
}

TEST(HeapSweep, FromInsideOfAnEventKnowsNothing) {
  InFreshProcess([] {
    char* block = Make(24);
    block[24] = static_cast<char>(block[24] + 1);
    {
      const Event event;
      EXPECT_EQ(SweepHeap(nullptr), MALLOCSPY_HEAP_UNKNOWN);
    }
    EXPECT_EQ(SweepHeap(nullptr), MALLOCSPY_HEAP_BAD_END);
  });
}

TEST(SweepWhenDue, AtEachNthCallOfAnyKind) {
  InFreshProcess([] {
    SetOptions("check_every=4");
    char* block = Make(24);
    block[24] = static_cast<char>(block[24] + 1);
    void* other = nullptr;
    other = entrance::AllocateSlowly(10, Door::kMalloc, kMinAlignment, false, nullptr);
    other = entrance::ReallocateSlowly(other, 20, Door::kMalloc, nullptr);
    entrance::DeallocateSlowly(other, fast_path::kNoSize, 0, Door::kMalloc, nullptr);
    EXPECT_TRUE(RecordedErrors().empty());
    other = entrance::AllocateSlowly(10, Door::kMalloc, kMinAlignment, false, nullptr);
    EXPECT_EQ(RecordedErrors().size(), 1u);
    EXPECT_TRUE(g_settings.watches_allocations && g_settings.watches_frees) << "the fast path must leave all calls to the slow one";
  });
}

TEST(HeapSweep, WhileThreadsAllocate) {
  InFreshProcess([] {
    ASSERT_TRUE(EnsureStarted());  // while another thread starts the record there is nothing to look at
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&stop] {
        for (size_t i = 0; !stop; ++i) g_heap.Deallocate(g_heap.Allocate(i % 300, {}), {});
      });
    }
    for (int i = 0; i < 50; ++i) EXPECT_EQ(SweepHeap(nullptr), MALLOCSPY_HEAP_OK);
    stop = true;
    for (std::thread& thread : threads) thread.join();
    EXPECT_TRUE(RecordedErrors().empty());
  });
}

}  // namespace
}  // namespace mallocspy

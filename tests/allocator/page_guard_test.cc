#include "allocator/page_guard.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "allocator/capture/unwinder.h"
#include "allocator/entrance.h"
#include "allocator/heap_sweep.h"
#include "allocator/ledger/ledger.h"
#include "allocator/process.h"
#include "allocator/quarantine.h"
#include "allocator/wrapping_allocator.h"
#include "tests/allocator/fresh_process.h"
#include "tests/allocator/recorded_errors.h"

namespace mallocspy {
namespace {

using ledger::BytesOnly;
using ledger::ErrorKind;

void Start(const char* options) {
  SetOptions(options);
  ASSERT_TRUE(EnsureStarted());
  ASSERT_TRUE(LoadUnwinder());
  g_page_guard.Arm();
}

uint64_t BytesOnlyFor(BytesOnly why) { return ledger::g_ledger.header().bytes_only[static_cast<uint32_t>(why)]; }

TEST(PageGuard, OffUnlessItIsAskedForAndArmed) {
  InFreshProcess([] {
    Start("");
    EXPECT_FALSE(IsPageGuarded(g_heap.Allocate(10, {})));
  });
  InFreshProcess([] {
    SetOptions("page_guard=1");
    EXPECT_FALSE(IsPageGuarded(g_heap.Allocate(10, {}))) << "nobody would tell of a fault";
    g_page_guard.Arm();
    EXPECT_TRUE(IsPageGuarded(g_heap.Allocate(10, {})));
    EXPECT_EQ(ledger::g_ledger.header().page_guarded, 1u);
  });
}

TEST(PageGuard, BlocksAreCountedAndListedLikeOthers) {
  InFreshProcess([] {
    Start("page_guard=1");
    void* block = g_heap.Allocate(100, {.door = Door::kNewArray});
    EXPECT_EQ(g_heap.SizeOf(block), 100u);
    EXPECT_TRUE(g_heap.IsLive(block));
    EXPECT_EQ(AllCounters(), (Counters{1, 100, 0, 0}));
    block = g_heap.Reallocate(block, 5000, {.door = Door::kNewArray});
    EXPECT_TRUE(IsPageGuarded(block));
    EXPECT_TRUE(g_heap.Ignore(block));
    EXPECT_EQ(HeaderOf(block)->ignored, 1u);
    g_heap.SetSpiedSet(block, 3);
    EXPECT_EQ(g_heap.SpiedSet(block), 3);
    g_heap.Deallocate(block, {.door = Door::kNewArray});
    EXPECT_EQ(AllCounters(), (Counters{2, 5100, 2, 5100}));
    EXPECT_FALSE(g_heap.IsLive(block));
    EXPECT_EQ(LiveBytes(), 0);
    EXPECT_TRUE(RecordedErrors().empty());
  });
}

TEST(PageGuard, TheFastPathLeavesThemAlone) {
  InFreshProcess([] {
    Start("page_guard=1");
    void* block = entrance::Allocate(50, {}, MALLOCSPY_DOOR_FRAME());
    EXPECT_TRUE(IsPageGuarded(block));
    EXPECT_FALSE(fast_path::Free(block, fast_path::kNoSize, Door::kMalloc, MALLOCSPY_DOOR_FRAME()));
    EXPECT_EQ(fast_path::Resize(block, 49, Door::kMalloc, MALLOCSPY_DOOR_FRAME()), nullptr);
    entrance::Deallocate(block, Door::kMalloc, MALLOCSPY_DOOR_FRAME());
    EXPECT_TRUE(g_guarded_pages.Of(block).is_freed);
  });
}

// Makes and frees `blocks` at one place; how many were beside a page.
__attribute__((noinline)) int CountGuarded(int blocks) {
  const DoorFrame* frame = MALLOCSPY_DOOR_FRAME();
  int guarded = 0;
  for (int i = 0; i < blocks; ++i) {
    void* block = entrance::Allocate(40, {}, frame);
    guarded += IsPageGuarded(block) ? 1 : 0;
    entrance::Deallocate(block, Door::kMalloc, frame);
  }
  return guarded;
}

TEST(PageGuard, SamplesOneOfNAtRandom) {
  // By the fast path, and where some other option wants all calls to take the slow one.
  for (const char* options : {"page_guard=100:page_guard_percent=100", "page_guard=100:page_guard_percent=100:check_every=1000000"}) {
    InFreshProcess([options] {
      Start(options);
      int guarded = 0;
      for (int part = 0; part < 10; ++part) {
        const int now = CountGuarded(10000);
        EXPECT_GT(now, 50) << options;
        EXPECT_LT(now, 200) << options;
        guarded += now;
      }
      EXPECT_GT(guarded, 800) << options;  // 1000 are expected; 577 / sqrt(3 * 1000) of 100 is their deviation
      EXPECT_LT(guarded, 1200) << options;
      EXPECT_EQ(ledger::g_ledger.header().page_guarded, static_cast<uint64_t>(guarded));
      EXPECT_EQ(AllCounters(), (Counters{100000, 4000000, 100000, 4000000}));
    });
  }
}

TEST(PageGuard, EachThreadChoosesForItself) {
  InFreshProcess([] {
    Start("page_guard=100:page_guard_percent=100");
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([] {
        const int guarded = CountGuarded(20000);
        EXPECT_GT(guarded, 100);
        EXPECT_LT(guarded, 400);
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
}

TEST(PageGuard, ByChanceItTakesNoMoreThanItsShareOfTheTime) {
  InFreshProcess([] {
    Start("page_guard=2:page_guard_percent=1");
    const uint64_t start = __builtin_ia32_rdtsc();
    const int guarded = CountGuarded(20000);
    const uint64_t all = __builtin_ia32_rdtsc() - start;
    EXPECT_GE(guarded, 1);
    EXPECT_LT(guarded, 5000) << "half of them, if it cost nothing";
    // The last one's rest may lie ahead.
    const Event event;
    EXPECT_LE(event.thread()->guard_next - start, 110 * all);
    EXPECT_GT(event.thread()->guard_next, start);
  });
}

TEST(PageGuard, OnlyTheChosenSizes) {
  InFreshProcess([] {
    Start("page_guard=1:page_guard_min_bytes=100:page_guard_max_bytes=2000000");
    EXPECT_FALSE(IsPageGuarded(g_heap.Allocate(99, {})));
    EXPECT_TRUE(IsPageGuarded(g_heap.Allocate(100, {})));
    EXPECT_FALSE(IsPageGuarded(g_heap.Allocate(2000000, {})));
    EXPECT_EQ(BytesOnlyFor(BytesOnly::kSize), 1u);
    EXPECT_FALSE(IsPageGuarded(g_heap.Allocate(2000001, {})));
    EXPECT_EQ(BytesOnlyFor(BytesOnly::kSize), 1u) << "it was not asked for";
  });
}

TEST(PageGuard, OnlyWithinAModule) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  for (const char* name : {"allocator_test", "libc", "libc.so.6"}) {
    InFreshProcess([name] {
      const std::string options = std::string("page_guard=1:page_guard_within=") + name;
      Start(options.c_str());
      EXPECT_TRUE(IsPageGuarded(entrance::Allocate(99, {}, MALLOCSPY_DOOR_FRAME()))) << name;
    });
  }
  for (const char* name : {"allocator", "libm", "allocator_test.so"}) {
    InFreshProcess([name] {
      const std::string options = std::string("page_guard=1:page_guard_within=") + name;
      Start(options.c_str());
      EXPECT_FALSE(IsPageGuarded(entrance::Allocate(99, {}, MALLOCSPY_DOOR_FRAME()))) << name;
      EXPECT_EQ(BytesOnlyFor(BytesOnly::kRoom), 0u);
    });
  }
}

TEST(PageGuard, WhatFindsNoPlaceIsAnOrdinaryBlock) {
  InFreshProcess([] {
    Start("page_guard=1");
    const uint64_t limit = ledger::g_ledger.header().mapping_limit;
    ASSERT_GT(limit, 0u);
    std::vector<void*> blocks;
    for (uint64_t i = 0; i < limit / 4 + 10; ++i) blocks.push_back(g_heap.Allocate(20, {}));
    EXPECT_TRUE(IsPageGuarded(blocks.front()));
    EXPECT_FALSE(IsPageGuarded(blocks.back()));
    EXPECT_EQ(BytesOnlyFor(BytesOnly::kMappings) + ledger::g_ledger.header().page_guarded, blocks.size());
    EXPECT_NEAR(static_cast<double>(BytesOnlyFor(BytesOnly::kMappings)), 10, 1);
    static_cast<char*>(blocks.back())[20] = 1;
    for (void* block : blocks) g_heap.Deallocate(block, {});
    ASSERT_EQ(RecordedErrors().size(), 1u) << "its bytes guard it";
    EXPECT_TRUE(IsPageGuarded(g_heap.Allocate(20, {}))) << "there is room again";
  });
}

TEST(PageGuard, SlackAndHeaderAreCheckedLikeOthers) {
  InFreshProcess([] {
    Start("page_guard=1");
    char* block = static_cast<char*>(g_heap.Allocate(27, {}));
    EXPECT_EQ(SweepHeap(nullptr), MALLOCSPY_HEAP_OK);
    block[30] = 1;
    EXPECT_EQ(SweepHeap(nullptr), MALLOCSPY_HEAP_BAD_END);
    g_heap.Deallocate(block, {});
    std::vector<RecordedError> errors = RecordedErrors();
    ASSERT_EQ(errors.size(), 1u);
    EXPECT_EQ(errors[0].kind, ErrorKind::kHeapOverflow);
    EXPECT_EQ(errors[0].value, 30u);
    block = static_cast<char*>(g_heap.Allocate(64, {}));
    std::memset(block - 16, 1, 16);
    g_heap.Deallocate(block, {});
    errors = RecordedErrors();
    ASSERT_EQ(errors.size(), 2u);
    EXPECT_EQ(errors[1].kind, ErrorKind::kHeapUnderflow);
    EXPECT_EQ(errors[1].size, 64u) << "a copy of the header lies elsewhere";
    EXPECT_TRUE(g_guarded_pages.Of(block).is_freed);
    EXPECT_EQ(AllCounters(), (Counters{2, 91, 2, 91}));
  });
}

TEST(PageGuard, ASecondFreeKnowsTheFirst) {
  InFreshProcess([] {
    Start("page_guard=1");
    char* block = static_cast<char*>(g_heap.Allocate(64, {}));
    g_heap.Deallocate(block, {});
    g_heap.Deallocate(block, {});
    EXPECT_EQ(g_heap.Reallocate(block, 10, {}), nullptr);
    const std::vector<RecordedError> errors = RecordedErrors();
    ASSERT_GE(errors.size(), 1u);
    for (const RecordedError& error : errors) EXPECT_EQ(error.kind, ErrorKind::kDoubleFree);
    EXPECT_EQ(errors[0].size, 64u);
    EXPECT_NE(ledger::g_ledger.At<ledger::Error>(ledger::TableId::kErrors, 1)->freed, 0u);
  });
}

TEST(PageGuard, AFreeInsideOfAFreedBlockKnowsIt) {
  InFreshProcess([] {
    Start("page_guard=1");
    char* block = static_cast<char*>(g_heap.Allocate(64, {}));
    g_heap.Deallocate(block, {});
    g_heap.Deallocate(block + 32, {});
    const std::vector<RecordedError> errors = RecordedErrors();
    ASSERT_EQ(errors.size(), 1u);
    EXPECT_EQ(errors[0].kind, ErrorKind::kInvalidFree);
    EXPECT_EQ(errors[0].size, 64u);
    EXPECT_EQ(errors[0].value, 32u);
  });
}

TEST(PageGuard, FilledWhereThatIsAskedForToo) {
  InFreshProcess([] {
    Start("page_guard=1:fill=1:quarantine_mb=1");
    auto* made = static_cast<unsigned char*>(g_heap.Allocate(100, {}));
    EXPECT_EQ(made[99], kNewByte);
    EXPECT_EQ(static_cast<unsigned char*>(g_heap.Allocate(100, {.zeroed = true}))[99], 0);
    g_heap.Deallocate(made, {});
    EXPECT_EQ(g_quarantine.Find(reinterpret_cast<uintptr_t>(made)).block, nullptr) << "it is kept in another way";
  });
}

TEST(PageGuard, AForkedChildGoesOnWithWhatThereIs) {
  InFreshProcess([] {
    Start("page_guard=1");
    void* block = g_heap.Allocate(100, {});
    EXPECT_TRUE(EndsWell(ForkWith([&] {
      g_heap.Deallocate(block, {});
      EXPECT_TRUE(g_guarded_pages.Of(block).is_freed);
      EXPECT_TRUE(IsPageGuarded(g_heap.Allocate(100, {})));
      EXPECT_EQ(ledger::g_ledger.header().page_guarded, 1u) << "its own only";
    })));
    EXPECT_FALSE(g_guarded_pages.Of(block).is_freed);
    g_heap.Deallocate(block, {});
  });
}

}  // namespace
}  // namespace mallocspy

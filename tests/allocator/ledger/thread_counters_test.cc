#include "allocator/ledger/thread_counters.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "allocator/ledger/stack_table.h"
#include "tests/allocator/fresh_process.h"
#include "tests/allocator/ledger/blank_records.h"
#include "tests/allocator/recorded_errors.h"

namespace mallocspy::ledger {
namespace {

TEST(ThreadCounters, CountExactly) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    ThreadCounters counters = {};
    counters.Attach(NewThread());
    std::vector<uint32_t> stacks;
    for (int i = 0; i < 5000; ++i) stacks.push_back(NewStack());
    for (size_t i = 0; i < stacks.size(); ++i) {
      for (size_t k = 0; k <= i % 7; ++k) counters.CountAllocation(stacks[i], i);
      counters.CountFree(stacks[i], i);
    }
    for (size_t i = 0; i < stacks.size(); ++i) {
      ASSERT_EQ(CountersOf(stacks[i]), (mallocspy::Counters{i % 7 + 1, i * (i % 7 + 1), 1, i})) << i;
    }
    const mallocspy::Counters all = AllCounters();
    EXPECT_EQ(LiveBytes(), static_cast<int64_t>(all.allocated_bytes - all.freed_bytes));
    FoldBanks();
    EXPECT_EQ(AllCounters(), all);
    EXPECT_EQ(g_ledger.At<Stack>(TableId::kStacks, stacks[10])->shared.allocations.load(), 4u);
  });
}

// However the small amounts are kept back.
TEST(ThreadCounters, ThePeakOfOneThreadIsExact) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    ThreadCounters counters = {};
    counters.Attach(NewThread());
    const uint32_t stack = NewStack();
    uint64_t live = 0;
    uint64_t peak = 0;
    uint32_t random = 1;
    for (int i = 0; i < 100000; ++i) {
      random = random * 1664525 + 1013904223;
      const uint64_t bytes = random >> 16 & (i % 100 == 0 ? 0xffff : 0xff);
      if ((random >> 8 & 1) != 0 || live < bytes) {
        counters.CountAllocation(stack, bytes);
        live += bytes;
      } else {
        counters.CountFree(stack, bytes);
        live -= bytes;
      }
      peak = std::max(peak, live);
    }
    CollectLiveBytes();
    EXPECT_EQ(g_ledger.header().live_bytes.load(), static_cast<int64_t>(live));
    EXPECT_EQ(g_ledger.header().peak_bytes.load(), static_cast<int64_t>(peak));
  });
}

// What one thread made another one frees: each counts for itself, and together they are right.
TEST(ThreadCounters, ThreadsShareNothing) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    constexpr int kThreads = 4;
    constexpr uint64_t kEvents = 20000;
    std::vector<uint32_t> stacks;
    for (int i = 0; i < 100; ++i) stacks.push_back(NewStack());
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        ThreadCounters counters = {};
        counters.Attach(NewThread());
        for (uint64_t i = 0; i < kEvents; ++i) {
          const uint32_t stack = stacks[i % stacks.size()];
          if (t % 2 == 0) counters.CountAllocation(stack, 10); else counters.CountFree(stack, 10);
          if (i % 100 == 0) CountAllocationShared(stack, 1);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    const uint64_t half = kThreads / 2 * kEvents;
    const uint64_t shared = kThreads * kEvents / 100;
    EXPECT_EQ(AllCounters(), (mallocspy::Counters{half + shared, half * 10 + shared, half, half * 10}));
    EXPECT_EQ(LiveBytes(), static_cast<int64_t>(shared));
  });
}

TEST(ThreadCounters, WithoutARecordItCountsInTheSharedOnes) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    ThreadCounters counters = {};
    const uint32_t stack = NewStack();
    counters.CountAllocation(stack, 100);
    counters.CountFree(stack, 40);
    EXPECT_EQ(g_ledger.At<Stack>(TableId::kStacks, stack)->shared.allocated_bytes.load(), 100u);
    EXPECT_EQ(g_ledger.header().live_bytes.load(), 60);
    EXPECT_EQ(g_ledger.header().peak_bytes.load(), 100);
  });
}

}  // namespace
}  // namespace mallocspy::ledger

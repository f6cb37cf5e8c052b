#include "allocator/ledger/peak_copy.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <thread>
#include <vector>

#include "allocator/ledger/ledger.h"
#include "allocator/ledger/thread_counters.h"
#include "tests/allocator/fresh_process.h"
#include "tests/allocator/ledger/blank_records.h"

namespace mallocspy::ledger {
namespace {

PeakSide Side() { return g_ledger.header().peak_side.load(); }
const Peak& LastPeak() { return g_ledger.header().peaks[Side() == kFirstPeak ? 0 : 1]; }
PeakCounters PeakOf(uint32_t stack) { return g_ledger.At<Stack>(TableId::kStacks, stack)->peaks[Side() == kFirstPeak ? 0 : 1]; }

class PeakCopy : public testing::Test {
 protected:
  // In a process of its own, with two stacks.
  template <typename Body>
  void Run(Body body) {
    InFreshProcess([&] {
      ASSERT_TRUE(g_ledger.Create(nullptr, 1));
      ThreadCounters counters = {};
      counters.Attach(NewThread());
      body(&counters, NewStack(), NewStack());
    });
  }
};

TEST_F(PeakCopy, IsMadeWhenThePeakIsLeft) {
  Run([](ThreadCounters* counters, uint32_t first, uint32_t second) {
    for (int i = 0; i < 1000; ++i) counters->CountAllocation(first, 100);
    counters->CountAllocation(second, 50000);
    EXPECT_EQ(Side(), kNoPeak) << "what is live is the peak";
    counters->CountFree(second, 50000);
    ASSERT_NE(Side(), kNoPeak);
    EXPECT_EQ(LastPeak().bytes, 150000);
    EXPECT_EQ(LastPeak().stacks, 3u);
    EXPECT_EQ(LastPeak().events_bytes, 150000u);
    EXPECT_EQ(PeakOf(first).live_blocks, 1000u);
    EXPECT_EQ(PeakOf(first).live_bytes, 100000u);
    EXPECT_EQ(PeakOf(second).live_blocks, 1u) << "before the free, however large its block is";
    EXPECT_EQ(PeakOf(second).live_bytes, 50000u);
  });
}

TEST_F(PeakCopy, OfSmallFreesIsWithinAHundredth) {
  Run([](ThreadCounters* counters, uint32_t first, uint32_t) {
    for (int i = 0; i < 100000; ++i) counters->CountAllocation(first, 10);
    for (int i = 0; i < 100000; ++i) counters->CountFree(first, 10);
    ASSERT_NE(Side(), kNoPeak);
    EXPECT_LE(PeakOf(first).live_bytes, 1000000u);
    EXPECT_GE(PeakOf(first).live_bytes, 990000u - 4096);
    EXPECT_EQ(PeakOf(first).live_bytes, PeakOf(first).live_blocks * 10);
  });
}

TEST_F(PeakCopy, OfAHigherPeakTakesItsPlace) {
  Run([](ThreadCounters* counters, uint32_t first, uint32_t second) {
    counters->CountAllocation(first, 100000);
    counters->CountFree(first, 100000);
    const PeakSide before = Side();
    counters->CountAllocation(second, 90000);
    counters->CountFree(second, 90000);
    EXPECT_EQ(Side(), before) << "a lower peak is none";
    counters->CountAllocation(second, 100500);
    counters->CountFree(second, 100500);
    EXPECT_EQ(Side(), before) << "nor is one that is hardly higher";
    counters->CountAllocation(second, 200000);
    counters->CountFree(second, 200000);
    EXPECT_NE(Side(), before) << "the older copy stays whole while the newer one is made";
    EXPECT_EQ(LastPeak().bytes, 200000);
    EXPECT_EQ(PeakOf(first).live_blocks, 0u);
    EXPECT_EQ(PeakOf(second).live_bytes, 200000u);
  });
}

TEST_F(PeakCopy, IsNotMadeForSmallFalls) {
  Run([](ThreadCounters* counters, uint32_t first, uint32_t second) {
    counters->CountAllocation(first, 10000000);
    for (int i = 0; i < 100; ++i) {
      counters->CountAllocation(second, 9000);
      counters->CountFree(second, 9000);
    }
    EXPECT_EQ(Side(), kNoPeak);
  });
}

TEST_F(PeakCopy, ManyPeaksLeadToFewCopies) {
  Run([](ThreadCounters* counters, uint32_t first, uint32_t second) {
    int copies = 0;
    PeakSide before = kNoPeak;
    for (uint64_t i = 0; i < 100000; ++i) {
      counters->CountAllocation(first, 100);
      counters->CountAllocation(second, 1000000);
      counters->CountFree(second, 1000000);
      if (Side() != before) ++copies;
      before = Side();
    }
    EXPECT_LE(copies, 250) << "from 1 to 11 MB by hundredths";
    EXPECT_GE(copies, 200);
  });
}

TEST_F(PeakCopy, CountsWhatOtherThreadsFreed) {
  Run([](ThreadCounters* counters, uint32_t first, uint32_t second) {
    for (int i = 0; i < 1000; ++i) counters->CountAllocation(first, 100);
    counters->CountAllocation(second, 300000);
    std::thread([&] {
      ThreadCounters others = {};
      others.Attach(NewThread());
      for (int i = 0; i < 10; ++i) others.CountFree(first, 100);
      others.CountFree(second, 300000);
      others.Detach();
    }).join();
    ASSERT_NE(Side(), kNoPeak);
    EXPECT_EQ(PeakOf(first).live_blocks, 990u);
    EXPECT_EQ(PeakOf(first).live_bytes, 99000u);
    EXPECT_EQ(PeakOf(second).live_bytes, 300000u);
  });
}

TEST_F(PeakCopy, OneThreadAtATimeMakesIt) {
  Run([](ThreadCounters*, uint32_t, uint32_t) {
    std::vector<uint32_t> stacks;
    for (int i = 0; i < 500; ++i) stacks.push_back(NewStack());
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&stacks] {
        ThreadCounters counters = {};
        counters.Attach(NewThread());
        for (uint64_t round = 1; round < 300; ++round) {
          for (const uint32_t stack : stacks) counters.CountAllocation(stack, round);
          for (const uint32_t stack : stacks) counters.CountFree(stack, round);
        }
        counters.Detach();
      });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_NE(Side(), kNoPeak);
    EXPECT_EQ(g_ledger.header().peak_turn.load(), 0u);
    uint64_t bytes = 0;
    for (const uint32_t stack : stacks) bytes += PeakOf(stack).live_bytes;
    EXPECT_LE(static_cast<int64_t>(bytes), 2 * 4 * 500 * 300);
    EXPECT_GT(static_cast<int64_t>(bytes), 0);
  });
}

TEST_F(PeakCopy, AForkedChildHasNone) {
  Run([](ThreadCounters* counters, uint32_t first, uint32_t) {
    counters->CountAllocation(first, 100000);
    counters->CountFree(first, 100000);
    g_ledger.header().peak_turn.store(1);  // another thread of the parent was at it
    g_ledger.Adopt(nullptr, 2);
    EXPECT_EQ(Side(), kNoPeak);
    ThreadCounters own = {};
    own.Attach(NewThread());
    own.CountAllocation(first, 5000);
    own.CountFree(first, 5000);
    EXPECT_EQ(LastPeak().bytes, 5000);
  });
}

}  // namespace
}  // namespace mallocspy::ledger

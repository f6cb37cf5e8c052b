#include "allocator/ledger/live_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <random>
#include <set>
#include <thread>
#include <vector>

namespace mallocspy::ledger {
namespace {

constexpr uintptr_t kLeafBytes = uintptr_t{1} << 30;
constexpr uintptr_t kHighest = (uintptr_t{1} << 47) - 16;

// No address is ever touched, so any will do.
class LiveMapTest : public testing::Test {
 protected:
  LiveMapTest() : map_(std::make_unique<LiveMap>()) {}

  std::vector<uintptr_t> Live() const {
    std::vector<uintptr_t> live;
    map_->ForEachLive(
        [](uintptr_t address, void* context) { static_cast<std::vector<uintptr_t>*>(context)->push_back(address); },
        &live);
    std::sort(live.begin(), live.end());
    return live;
  }

  std::unique_ptr<LiveMap> map_;
};

TEST_F(LiveMapTest, KnowsNothingAtFirst) {
  for (const uintptr_t address : {uintptr_t{0}, uintptr_t{16}, kLeafBytes, kHighest, ~uintptr_t{0}}) {
    EXPECT_EQ(map_->StateOf(address), BlockState::kUnknown) << address;
    EXPECT_FALSE(map_->Claim(address)) << address;
    map_->Forget(address);
    EXPECT_EQ(map_->LiveAtOrBelow(address, 1 << 20), 0u);
  }
  EXPECT_TRUE(Live().empty());
}

TEST_F(LiveMapTest, ABlocksWholeLife) {
  const uintptr_t address = 5 * kLeafBytes + 0x1230;
  ASSERT_TRUE(map_->SetLive(address));
  EXPECT_EQ(map_->StateOf(address), BlockState::kLive);
  map_->Forget(address);
  EXPECT_EQ(map_->StateOf(address), BlockState::kLive) << "a live block is not forgotten";
  EXPECT_TRUE(map_->Claim(address));
  EXPECT_EQ(map_->StateOf(address), BlockState::kFreed);
  EXPECT_FALSE(map_->Claim(address)) << "once";
  EXPECT_EQ(map_->StateOf(address), BlockState::kFreed);
  ASSERT_TRUE(map_->SetLive(address));
  EXPECT_EQ(map_->StateOf(address), BlockState::kLive);
  EXPECT_TRUE(map_->Claim(address));
  map_->Forget(address);
  EXPECT_EQ(map_->StateOf(address), BlockState::kUnknown);
  EXPECT_FALSE(map_->Claim(address));
}

TEST_F(LiveMapTest, PlainBlocksAreNeitherLiveNorFreed) {
  const uintptr_t address = 5 * kLeafBytes + 0x1230;
  for (const bool was_ours : {false, true}) {
    if (was_ours) {
      ASSERT_TRUE(map_->SetLive(address));
      ASSERT_TRUE(map_->Claim(address));
    }
    ASSERT_TRUE(map_->SetPlain(address));
    EXPECT_EQ(map_->StateOf(address), BlockState::kPlain);
    EXPECT_FALSE(map_->Claim(address));
    EXPECT_EQ(map_->LiveAtOrBelow(address + 8, 4096), 0u);
    EXPECT_TRUE(Live().empty());
    map_->Forget(address);
    EXPECT_EQ(map_->StateOf(address), BlockState::kUnknown);
  }
  ASSERT_TRUE(map_->SetPlain(address));
  ASSERT_TRUE(map_->SetLive(address));
  EXPECT_EQ(map_->StateOf(address), BlockState::kLive);
}

TEST_F(LiveMapTest, NeighboursAreOfNoConcern) {
  const uintptr_t first = 7 * kLeafBytes;
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(map_->SetLive(first + 16 * static_cast<uintptr_t>(i)));
  for (int i = 0; i < 200; i += 2) ASSERT_TRUE(map_->Claim(first + 16 * static_cast<uintptr_t>(i)));
  for (int i = 0; i < 200; i += 4) map_->Forget(first + 16 * static_cast<uintptr_t>(i));
  for (int i = 0; i < 200; ++i) {
    const BlockState expected = i % 4 == 0 ? BlockState::kUnknown : i % 2 == 0 ? BlockState::kFreed : BlockState::kLive;
    EXPECT_EQ(map_->StateOf(first + 16 * static_cast<uintptr_t>(i)), expected) << i;
  }
}

TEST_F(LiveMapTest, OffTheGrainIsNoBlock) {
  const uintptr_t address = 5 * kLeafBytes + 0x40;
  ASSERT_TRUE(map_->SetLive(address));
  for (uintptr_t i = 1; i < 16; ++i) {
    EXPECT_EQ(map_->StateOf(address + i), BlockState::kUnknown);
    EXPECT_FALSE(map_->Claim(address + i));
  }
  EXPECT_EQ(map_->StateOf(address), BlockState::kLive);
}

TEST_F(LiveMapTest, EdgesOfLeavesAndOfTheAddressSpace) {
  const std::vector<uintptr_t> edges = {16,
                                        kLeafBytes - 16,
                                        kLeafBytes,
                                        2 * kLeafBytes - 16,
                                        2 * kLeafBytes,
                                        (uintptr_t{1} << 47) - kLeafBytes,
                                        kHighest};
  for (const uintptr_t address : edges) {
    ASSERT_TRUE(map_->SetLive(address));
    EXPECT_EQ(map_->StateOf(address), BlockState::kLive);
  }
  EXPECT_EQ(Live(), edges);
  for (const uintptr_t address : edges) EXPECT_EQ(map_->LiveAtOrBelow(address + 15, 64), address);
  for (const uintptr_t address : edges) ASSERT_TRUE(map_->Claim(address));
  EXPECT_TRUE(Live().empty());
  for (const uintptr_t beyond : {uintptr_t{1} << 47, uintptr_t{1} << 63, ~uintptr_t{15}}) {
    EXPECT_EQ(map_->StateOf(beyond), BlockState::kUnknown);
    EXPECT_FALSE(map_->Claim(beyond));
    EXPECT_EQ(map_->LiveAtOrBelow(beyond, 1 << 20), 0u);
  }
}

TEST_F(LiveMapTest, FindsTheNearestBelow) {
  const uintptr_t low = 9 * kLeafBytes + 0x10000;
  const uintptr_t high = low + 0x2000;
  ASSERT_TRUE(map_->SetLive(low));
  ASSERT_TRUE(map_->SetLive(high));
  EXPECT_EQ(map_->LiveAtOrBelow(low, 0), low);
  EXPECT_EQ(map_->LiveAtOrBelow(low + 1, 4096), low);
  EXPECT_EQ(map_->LiveAtOrBelow(high - 1, 0x4000), low);
  EXPECT_EQ(map_->LiveAtOrBelow(high, 0x4000), high);
  EXPECT_EQ(map_->LiveAtOrBelow(high + 0x1ff0, 0x4000), high);
  EXPECT_EQ(map_->LiveAtOrBelow(low - 1, 0x4000), 0u);
  // The reach is exact to the grain.
  EXPECT_EQ(map_->LiveAtOrBelow(low + 0x1000, 0x1000), low);
  EXPECT_EQ(map_->LiveAtOrBelow(low + 0x1010, 0x1000), 0u);
  ASSERT_TRUE(map_->Claim(high));
  EXPECT_EQ(map_->LiveAtOrBelow(high, 0x4000), low) << "a freed one is passed over";
}

TEST_F(LiveMapTest, FindsTheNearestBelowInTheLeafBelow) {
  // A block of more than a leaf, as it may lie: nothing else was ever made in the leaves that it covers.
  const uintptr_t start = 20 * kLeafBytes - 0x10000;
  ASSERT_TRUE(map_->SetLive(start));
  EXPECT_EQ(map_->LiveAtOrBelow(20 * kLeafBytes - 16, 1 << 20), start);
  EXPECT_EQ(map_->LiveAtOrBelow(20 * kLeafBytes, 1 << 20), start);
  EXPECT_EQ(map_->LiveAtOrBelow(20 * kLeafBytes + 0x1000, 1 << 20), start);
  EXPECT_EQ(map_->LiveAtOrBelow(21 * kLeafBytes, 2 * kLeafBytes), start);
  ASSERT_TRUE(map_->SetLive(20 * kLeafBytes + 0x100000));
  EXPECT_EQ(map_->LiveAtOrBelow(20 * kLeafBytes + 0x1000, 1 << 20), start);
}

// A program that is not position-independent has its heap in the lowest gigabyte: the search ends at 0.
TEST_F(LiveMapTest, SearchingTheLowestLeafEndsAtZero) {
  ASSERT_TRUE(map_->SetLive(0x500000));
  for (const uintptr_t address : {uintptr_t{16}, uintptr_t{0x1000}, uintptr_t{0x401000}, uintptr_t{0x4ffff0}}) {
    EXPECT_EQ(map_->LiveAtOrBelow(address, size_t{256} << 20), 0u) << address;
  }
  EXPECT_EQ(map_->LiveAtOrBelow(0x501234, size_t{256} << 20), 0x500000u);
  ASSERT_TRUE(map_->SetLive(16));
  EXPECT_EQ(map_->LiveAtOrBelow(0x401000, size_t{256} << 20), 16u);
}

TEST_F(LiveMapTest, ListsExactlyWhatLives) {
  std::mt19937_64 random(7);
  std::set<uintptr_t> expected;
  for (int i = 0; i < 20000; ++i) {
    const uintptr_t leaf = random() % 40 * 3000;
    const uintptr_t address = leaf * kLeafBytes + random() % 4096 * 4096 + random() % 8 * 16;
    if (address == 0) continue;
    if (expected.insert(address).second) {
      ASSERT_TRUE(map_->SetLive(address));
    } else {
      ASSERT_TRUE(map_->Claim(address));
      expected.erase(address);
    }
  }
  EXPECT_EQ(Live(), std::vector<uintptr_t>(expected.begin(), expected.end()));
}

TEST_F(LiveMapTest, MoreLeavesThanAreListed) {
  std::vector<uintptr_t> expected;
  for (uintptr_t leaf = 1; leaf <= 4200; ++leaf) {
    expected.push_back(leaf * kLeafBytes + 0x40);
    ASSERT_TRUE(map_->SetLive(expected.back()));
  }
  EXPECT_EQ(Live(), expected);
}

TEST_F(LiveMapTest, OneOfManyWhoFreeABlockWins) {
  constexpr int kThreads = 4;
  constexpr int kBlocks = 20000;
  const uintptr_t first = 11 * kLeafBytes;
  for (int i = 0; i < kBlocks; ++i) ASSERT_TRUE(map_->SetLive(first + 16 * static_cast<uintptr_t>(i)));
  std::atomic<int> ready{0};
  std::atomic<int> won{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      ++ready;
      while (ready != kThreads) {
      }
      int mine = 0;
      for (int i = 0; i < kBlocks; ++i) mine += map_->Claim(first + 16 * static_cast<uintptr_t>(i)) ? 1 : 0;
      won += mine;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(won, kBlocks);
  EXPECT_TRUE(Live().empty());
  for (int i = 0; i < kBlocks; ++i) {
    ASSERT_EQ(map_->StateOf(first + 16 * static_cast<uintptr_t>(i)), BlockState::kFreed);
  }
}

// Threads that own alternating addresses share every word of the map.
TEST_F(LiveMapTest, OwnersOfNeighboursDoNotDisturbEachOther) {
  constexpr uintptr_t kThreads = 4;
  constexpr uintptr_t kBlocks = 512;
  const uintptr_t first = 13 * kLeafBytes;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (uintptr_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 100; ++round) {
        for (uintptr_t i = t; i < kBlocks; i += kThreads) {
          const uintptr_t address = first + 16 * i;
          if (!map_->SetLive(address) || map_->StateOf(address) != BlockState::kLive) ++wrong;
          if (round + 1 < 100 && (!map_->Claim(address) || map_->StateOf(address) != BlockState::kFreed)) ++wrong;
          if (round % 3 == 0 && round + 1 < 100) map_->Forget(address);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(Live().size(), kBlocks);
}

TEST_F(LiveMapTest, ALeafThatSeveralMakeAtATimeIsOne) {
  constexpr uintptr_t kThreads = 4;
  for (uintptr_t leaf = 100; leaf < 200; ++leaf) {
    std::atomic<uintptr_t> ready{0};
    std::vector<std::thread> threads;
    for (uintptr_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        ++ready;
        while (ready != kThreads) {
        }
        map_->SetLive(leaf * kLeafBytes + 16 * t);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(Live().size(), 100 * kThreads);
}

}  // namespace
}  // namespace mallocspy::ledger

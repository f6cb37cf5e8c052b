#include "allocator/ceiling.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace mallocspy {
namespace {

TEST(Ceiling, WithoutALimitEverythingIsAdmitted) {
  Ceiling ceiling;
  EXPECT_FALSE(ceiling.Set(0, 0));
  EXPECT_TRUE(ceiling.Admit(SIZE_MAX / 2));
}

TEST(Ceiling, Bytes) {
  Ceiling ceiling;
  EXPECT_TRUE(ceiling.Set(100, 0));
  EXPECT_TRUE(ceiling.Admit(60));
  EXPECT_FALSE(ceiling.Admit(41));
  EXPECT_FALSE(ceiling.Admit(SIZE_MAX));
  EXPECT_TRUE(ceiling.Admit(40));
  EXPECT_TRUE(ceiling.Admit(0));
  ceiling.Leave(60);
  EXPECT_TRUE(ceiling.Admit(60));
  EXPECT_FALSE(ceiling.Admit(1));
}

TEST(Ceiling, Blocks) {
  Ceiling ceiling;
  EXPECT_TRUE(ceiling.Set(0, 2));
  EXPECT_TRUE(ceiling.Admit(1));
  EXPECT_TRUE(ceiling.Admit(0));
  EXPECT_FALSE(ceiling.Admit(0));
  ceiling.Leave(1);
  EXPECT_TRUE(ceiling.Admit(1000));
}

// What was refused for its bytes is no block either.
TEST(Ceiling, ARefusalCountsNothing) {
  Ceiling ceiling;
  ceiling.Set(10, 1);
  EXPECT_FALSE(ceiling.Admit(11));
  EXPECT_TRUE(ceiling.Admit(10));
}

TEST(Ceiling, ResizingCountsTheDifference) {
  Ceiling ceiling;
  ceiling.Set(100, 1);
  ASSERT_TRUE(ceiling.Admit(60));
  EXPECT_TRUE(ceiling.Resize(60, 100));
  EXPECT_FALSE(ceiling.Resize(100, 101));
  EXPECT_TRUE(ceiling.Resize(100, 10));
  EXPECT_TRUE(ceiling.Resize(10, 100));
}

TEST(Ceiling, ThreadsNeverGoBeyond) {
  constexpr int kThreads = 4;
  Ceiling ceiling;
  ceiling.Set(0, 100);
  std::atomic<int> live{0};
  std::atomic<bool> beyond{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20000; ++round) {
        if (!ceiling.Admit(1)) continue;
        if (live.fetch_add(1) >= 100) beyond = true;
        live.fetch_sub(1);
        if (round % 100 != 0) ceiling.Leave(1);  // others stay
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(beyond);
  int room = 0;
  while (ceiling.Admit(1)) ++room;
  EXPECT_LE(room, 100);
  EXPECT_FALSE(ceiling.Admit(1));
}

}  // namespace
}  // namespace mallocspy

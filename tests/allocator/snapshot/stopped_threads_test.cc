#include "allocator/snapshot/stopped_threads.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/allocator/fresh_process.h"

namespace mallocspy {
namespace {

struct Counting {
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  std::atomic<uint64_t> counts[8] = {};
  std::atomic<uint32_t> tids[8] = {};

  explicit Counting(int count) {
    for (int t = 0; t < count; ++t) {
      threads.emplace_back([this, t] {
        tids[t] = static_cast<uint32_t>(gettid());
        while (!done) ++counts[t];
      });
    }
    for (int t = 0; t < count; ++t) {
      while (counts[t] == 0) std::this_thread::yield();
    }
  }
  ~Counting() {
    done = true;
    for (std::thread& thread : threads) thread.join();
  }
};

TEST(StoppedThreads, NobodyMovesBetweenStopAndRelease) {
  MALLOCSPY_SKIP_UNDER_TSAN();
  InFreshProcess([] {
    Counting counting(8);
    for (int round = 0; round < 50; ++round) {
      StoppedThreads stopped;
      ASSERT_TRUE(stopped.Stop(0, 5000));
      EXPECT_EQ(stopped.size(), 8u);
      EXPECT_EQ(stopped.unanswered(), 0u);
      uint64_t before[8];
      for (int t = 0; t < 8; ++t) before[t] = counting.counts[t];
      usleep(2000);
      for (int t = 0; t < 8; ++t) EXPECT_EQ(counting.counts[t], before[t]);
      for (size_t i = 0; i < stopped.size(); ++i) {
        EXPECT_TRUE(stopped[i].answered);
        EXPECT_NE(stopped[i].sp, 0u);
        EXPECT_NE(stopped[i].control_block, 0u);
        EXPECT_GE(stopped[i].vectors_bytes, 512u);
      }
      stopped.Release();
      for (int t = 0; t < 8; ++t) {
        while (counting.counts[t] == before[t]) std::this_thread::yield();
      }
    }
  });
}

TEST(StoppedThreads, OneThatBlocksSignalsIsNamed) {
  MALLOCSPY_SKIP_UNDER_TSAN();
  InFreshProcess([] {
    std::atomic<uint32_t> deaf{0};
    std::atomic<bool> done{false};
    std::thread thread([&] {
      sigset_t all;
      sigfillset(&all);
      pthread_sigmask(SIG_SETMASK, &all, nullptr);
      deaf = static_cast<uint32_t>(gettid());
      while (!done) usleep(1000);
      sigset_t none;
      sigemptyset(&none);
      pthread_sigmask(SIG_SETMASK, &none, nullptr);  // the signal must not be there any more: it would kill
    });
    while (deaf == 0) std::this_thread::yield();
    {
      StoppedThreads stopped;
      ASSERT_TRUE(stopped.Stop(0, 50));
      ASSERT_EQ(stopped.size(), 1u);
      EXPECT_EQ(stopped.unanswered(), 1u);
      EXPECT_EQ(stopped[0].tid, deaf);
      EXPECT_FALSE(stopped[0].answered);
    }
    done = true;
    thread.join();
  });
}

// Threads that come and go while the others are being stopped.
TEST(StoppedThreads, StormOfThreads) {
  MALLOCSPY_SKIP_UNDER_TSAN();
  InFreshProcess([] {
    std::atomic<bool> done{false};
    std::atomic<uint64_t> made{0};
    std::vector<std::thread> makers;
    for (int m = 0; m < 3; ++m) {
      makers.emplace_back([&] {
        while (!done) {
          std::thread([&] { ++made; }).join();
        }
      });
    }
    while (made < 20) std::this_thread::yield();
    for (int round = 0; round < 100; ++round) {
      StoppedThreads stopped;
      ASSERT_TRUE(stopped.Stop(0, 5000));
      EXPECT_EQ(stopped.unanswered(), 0u) << round;
      const uint64_t before = made;
      usleep(200);
      EXPECT_EQ(made, before) << round;
    }
    done = true;
    for (std::thread& maker : makers) maker.join();
  });
}

std::atomic<int> caught{0};

TEST(StoppedThreads, TheProgramsOwnSignalsStay) {
  MALLOCSPY_SKIP_UNDER_TSAN();
  InFreshProcess([] {
    struct sigaction mine = {};
    mine.sa_handler = [](int) { ++caught; };
    ASSERT_EQ(sigaction(SIGRTMAX, &mine, nullptr), 0);
    Counting counting(2);
    {
      StoppedThreads stopped;
      ASSERT_TRUE(stopped.Stop(0, 5000)) << "another one is taken";
      EXPECT_EQ(stopped.unanswered(), 0u);
    }
    EXPECT_EQ(caught, 0);
    {
      StoppedThreads stopped;
      ASSERT_TRUE(stopped.Stop(SIGRTMAX, 5000)) << "asked for: the program's handler is put back";
    }
    struct sigaction now = {};
    ASSERT_EQ(sigaction(SIGRTMAX, nullptr, &now), 0);
    EXPECT_EQ(now.sa_handler, mine.sa_handler);
    raise(SIGRTMAX);
    EXPECT_EQ(caught, 1);
  });
}

}  // namespace
}  // namespace mallocspy

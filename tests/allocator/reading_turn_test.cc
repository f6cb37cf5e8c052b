#include "allocator/reading_turn.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

namespace mallocspy {
namespace {

TEST(ReadingTurn, OneAtATime) {
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        const ReadingTurn turn;
        EXPECT_FALSE(turn.taken_over());
        const int now = ++inside;
        if (now > most) most = now;
        std::this_thread::yield();
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(most, 1);
}

TEST(ReadingTurn, AThreadThatHasItTakesItOver) {
  const ReadingTurn outer;
  const ReadingTurn inner;
  EXPECT_FALSE(outer.taken_over());
  EXPECT_TRUE(inner.taken_over());
}

TEST(ReadingTurn, AForkedChildDoesNotWaitForItsParent) {
  const ReadingTurn turn;
  const pid_t child = fork();
  if (child == 0) {
    const ReadingTurn own;
    _exit(own.taken_over() ? 1 : 0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace mallocspy

#include "allocator/system/futex_lock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace mallocspy {
namespace {

TEST(FutexLock, OneAtATime) {
  FutexLock lock;
  uint64_t counter = 0;
  constexpr int kThreads = 8;
  constexpr int kRounds = 20000;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        FutexLockHolder hold(lock);
        ++counter;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter, uint64_t{kThreads} * kRounds);
}

TEST(FutexLock, AllWhoWaitGetItInTheEnd) {
  FutexLock lock;
  std::atomic<int> waiting{0};
  std::atomic<int> passed{0};
  std::vector<std::thread> threads;
  lock.Lock();
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      ++waiting;
      lock.Lock();
      ++passed;
      lock.Unlock();
    });
  }
  while (waiting != 16) std::this_thread::yield();
  EXPECT_EQ(passed, 0);
  lock.Unlock();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(passed, 16);
}

TEST(FutexLock, ResetFreesWhatAnotherHeld) {
  FutexLock lock;
  std::thread([&] { lock.Lock(); }).join();
  lock.Reset();
  lock.Lock();  // would hang
  lock.Unlock();
}

TEST(FutexLock, HolderLetsGo) {
  FutexLock lock;
  { FutexLockHolder hold(lock); }
  lock.Lock();  // would hang
  lock.Unlock();
}

}  // namespace
}  // namespace mallocspy

#include "spy/futex_lock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
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

TEST(FutexLock, AWaiterIsWokenAndErrnoKept) {
  FutexLock lock;
  lock.Lock();
  std::atomic<bool> waiting{false};
  int waiters_errno = 0;
  std::thread waiter([&] {
    errno = EDOM;
    waiting = true;
    lock.Lock();
    waiters_errno = errno;
    lock.Unlock();
  });
  while (!waiting) std::this_thread::yield();
  for (int i = 0; i < 1000; ++i) std::this_thread::yield();
  errno = ERANGE;
  lock.Unlock();
  EXPECT_EQ(ERANGE, errno);
  waiter.join();
  EXPECT_EQ(EDOM, waiters_errno);
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

TEST(FutexLock, UnlocksWhatThisThreadHoldsOnly) {
  FutexLock lock;
  lock.Lock();
  lock.UnlockIfMine();
  std::thread([&] { lock.Lock(); }).join();  // would hang if it were still held
  lock.UnlockIfMine();                       // another's: stays held
  std::atomic<bool> got{false};
  std::thread waiter([&] {
    lock.Lock();
    got = true;
  });
  for (int i = 0; i < 1000; ++i) std::this_thread::yield();
  EXPECT_FALSE(got);
  lock.Unlock();
  waiter.join();
  EXPECT_TRUE(got);
}

}  // namespace
}  // namespace mallocspy

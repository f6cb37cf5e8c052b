#include "spy/spy_lock.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <thread>
#include <vector>

namespace mallocspy {
namespace {

TEST(SpyLock, OneThreadAtATime) {
  SpyLock lock;
  long counter = 0;  // plain: lost updates would show
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 50000; ++j) {
        lock.Lock();
        ++counter;
        lock.Unlock();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(200000, counter);
}

TEST(SpyLock, AWaiterIsWokenAndErrnoKept) {
  SpyLock lock;
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

TEST(SpyLock, ResetMakesItFree) {
  SpyLock lock;
  lock.Lock();
  lock.Reset();
  lock.Lock();  // would wait for ever
  lock.Unlock();
}

}  // namespace
}  // namespace mallocspy

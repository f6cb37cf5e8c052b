#include "allocator/capture/spare_stack.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>
#include <vector>

#include "tests/allocator/fresh_process.h"

namespace mallocspy {
namespace {

struct Visit {
  uintptr_t sp = 0;
  std::atomic<int>* inside = nullptr;
  int wanted = 0;
};

void Look(void* argument) {
  Visit* visit = static_cast<Visit*>(argument);
  volatile char much[48 * 1024];
  much[0] = 1;
  much[sizeof(much) - 1] = 1;
  visit->sp = reinterpret_cast<uintptr_t>(much);
  if (visit->inside == nullptr) return;
  ++*visit->inside;
  while (*visit->inside < visit->wanted) std::this_thread::yield();
}

TEST(SpareStack, IsAnotherOneAndIsUsedAgain) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    Visit first, second;
    ASSERT_TRUE(RunOnSpareStack(Look, &first));
    ASSERT_TRUE(RunOnSpareStack(Look, &second));
    EXPECT_EQ(first.sp, second.sp);
    const uintptr_t here = reinterpret_cast<uintptr_t>(&first);
    EXPECT_GT(here > first.sp ? here - first.sp : first.sp - here, uintptr_t{64 * 1024});
  });
}

// More than are kept.
TEST(SpareStack, ThreadsAtATimeHaveOneEach) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    constexpr int kThreads = 20;
    std::atomic<int> inside{0};
    std::vector<Visit> visits(kThreads);
    std::vector<std::thread> threads;
    for (Visit& visit : visits) {
      visit.inside = &inside;
      visit.wanted = kThreads;
      threads.emplace_back([&visit] { EXPECT_TRUE(RunOnSpareStack(Look, &visit)); });
    }
    for (std::thread& thread : threads) thread.join();
    std::set<uintptr_t> places;
    for (const Visit& visit : visits) places.insert(visit.sp);
    EXPECT_EQ(places.size(), size_t{kThreads});
    Visit later;
    ResetSpareStacksAfterFork();
    EXPECT_TRUE(RunOnSpareStack(Look, &later));
  });
}

}  // namespace
}  // namespace mallocspy

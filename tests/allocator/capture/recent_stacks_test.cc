#include "allocator/capture/recent_stacks.h"

#include <gtest/gtest.h>

#include <memory>

#include "allocator/process.h"
#include "tests/allocator/capture/followed_stack.h"
#include "tests/allocator/fresh_process.h"

namespace mallocspy {
namespace {

void Prepare() {
  ASSERT_TRUE(EnsureStarted());
  ASSERT_TRUE(LoadUnwinder());
}

struct Finder {
  FollowedStack stack;
  std::unique_ptr<RecentStacks> recent{new RecentStacks()};
};

// Finds the stack of here, or keeps it as number `number`.
__attribute__((noinline)) uint32_t FindHere(Finder* finder, uint32_t number, Door door = Door::kMalloc) {
  const DoorFrame* frame = MALLOCSPY_DOOR_FRAME();
  const RecordedStack* found = finder->recent->Find(StateAt(frame), door);
  if (found != nullptr) return found->number;
  if (number != 0) {
    finder->stack.Follow(frame);
    finder->recent->Keep(&finder->stack.known(), door, {number, nullptr});
  }
  return 0;
}

__attribute__((noinline)) uint32_t FindDeep(int depth, Finder* finder, uint32_t number) {
  const uint32_t found = depth == 0 ? FindHere(finder, number) : FindDeep(depth - 1, finder, number);
  asm volatile("" ::"r"(&found) : "memory");
  return found;
}

TEST(RecentStacks, FindsSeveralInTurns) {
  InFreshProcess([] {
    Prepare();
    Finder finder;
    for (uint32_t round = 0; round < 3; ++round) {
      for (uint32_t depth = 1; depth <= 10; ++depth) {
        EXPECT_EQ(FindDeep(static_cast<int>(depth), &finder, depth), round == 0 ? 0 : depth);
      }
      asm volatile("" : "+r"(round));
    }
    EXPECT_EQ(FindDeep(5, &finder, 0), 0u) << "another call of FindDeep: the same inner frames, another outer one";
    finder.recent->Forget();
  });
}

TEST(RecentStacks, ForgetsAndIsAskedByDoor) {
  InFreshProcess([] {
    Prepare();
    Finder finder;
    uint32_t found[4];
    for (uint32_t& one : found) {
      one = FindHere(&finder, 7, &one == &found[2] ? Door::kNew : Door::kMalloc);
      if (&one == &found[2]) finder.recent->Forget();
    }
    EXPECT_EQ(found[0], 0u);
    EXPECT_EQ(found[1], 7u);
    EXPECT_EQ(found[2], 0u) << "another door";
    EXPECT_EQ(found[3], 0u) << "forgotten";
  });
}

TEST(RecentStacks, NothingIsFoundAfterAnUnload) {
  InFreshProcess([] {
    Prepare();
    Finder finder;
    for (int i = 0; i < 4; ++i) {
      const uint32_t found = FindHere(&finder, 3);
      EXPECT_EQ(found, i == 1 ? 3u : 0u) << i;
      if (i == 1) g_call_sites.BeginUnload();
      if (i == 2) g_call_sites.EndUnload();
    }
  });
}

TEST(RecentStacks, DeepStacksAreNotKept) {
  InFreshProcess([] {
    Prepare();
    Finder finder;
    for (int i = 0; i < 2; ++i) EXPECT_EQ(FindDeep(100, &finder, 1), 0u);
  });
}

}  // namespace
}  // namespace mallocspy

#include "allocator/marks.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "allocator/block_header.h"
#include "allocator/process.h"
#include "allocator/thread_state.h"
#include "allocator/wrapping_allocator.h"
#include "tests/allocator/fresh_process.h"

namespace mallocspy {
namespace {

void* Make() { return g_heap.Allocate(8, {.door = Door::kMalloc}); }

TEST(Marks, CountUpAndBlocksCarryTheCurrentOne) {
  InFreshProcess([] {
    void* before = Make();
    const uint64_t first = BeginMark();
    void* between = Make();
    const uint64_t second = BeginMark();
    void* after = Make();
    EXPECT_EQ(second, first + 1);
    EXPECT_LT(HeaderOf(before)->mark, HeaderMarkSince(first));
    EXPECT_GE(HeaderOf(between)->mark, HeaderMarkSince(first));
    EXPECT_LT(HeaderOf(between)->mark, HeaderMarkSince(second));
    EXPECT_GE(HeaderOf(after)->mark, HeaderMarkSince(second));
  });
}

TEST(Marks, SinceNoneIsSinceTheStart) {
  InFreshProcess([] {
    void* first = Make();
    EXPECT_EQ(HeaderMarkSince(0), g_settings.base_mark);
    EXPECT_GE(HeaderOf(first)->mark, HeaderMarkSince(0));
  });
}

TEST(Marks, NoBlockIsYoungerThanAMarkToCome) {
  InFreshProcess([] {
    const uint64_t now = BeginMark();
    void* block = Make();
    EXPECT_LT(HeaderOf(block)->mark, HeaderMarkSince(now + 1));
  });
}

TEST(Marks, MoreThanAHeaderCanNumber) {
  InFreshProcess([] {
    void* oldest = Make();
    uint64_t mark = 0;
    void* young = nullptr;
    uint64_t of_young = 0;
    for (int i = 0; i < 200000; ++i) {
      const uint64_t next = BeginMark();
      ASSERT_EQ(next, i == 0 ? 2u : mark + 1);
      mark = next;
      if (i % 20000 != 0) continue;
      young = Make();
      of_young = mark;
    }
    EXPECT_GE(HeaderOf(young)->mark, HeaderMarkSince(of_young));
    EXPECT_LT(HeaderOf(young)->mark, HeaderMarkSince(of_young + 1));
    EXPECT_LT(HeaderOf(oldest)->mark, HeaderMarkSince(of_young));
    EXPECT_GE(HeaderOf(oldest)->mark, HeaderMarkSince(0));
    EXPECT_TRUE(IsSealed(HeaderOf(oldest)));
    g_heap.Deallocate(oldest, {.door = Door::kMalloc});
    EXPECT_FALSE(g_heap.IsLive(oldest));
  });
}

TEST(Marks, NoneAfterTheRecord) {
  InFreshProcess([] {
    Make();
    SetPhase(Phase::kOver);
    EXPECT_EQ(BeginMark(), 0u);
  });
}

}  // namespace
}  // namespace mallocspy

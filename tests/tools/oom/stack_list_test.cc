#include "tools/oom/stack_list.h"

#include <gtest/gtest.h>

#include "tests/scratch_directory.h"

namespace mallocspy {
namespace {

TEST(StackList, ALineForEachStack) {
  const ScratchDirectory directory;
  const auto stacks = ReadStackList(directory.Write("list", "0000000000000001 7 24\n00000000000000ff 8 1\n0000000000000003 9"));
  ASSERT_TRUE(stacks.ok()) << stacks.status();
  ASSERT_EQ(2u, stacks->size());
  EXPECT_EQ("00000000000000ff", (*stacks)[1].id);
  EXPECT_EQ(8u, (*stacks)[1].node);
  EXPECT_EQ(24u, (*stacks)[0].bytes);
  for (const char* const bad : {"x 7 24\n", "0000000000000001 7\n", "0000000000000001 -7 24\n", "0000000000000001 7 24 5\n", "\n"}) {
    EXPECT_FALSE(ReadStackList(directory.Write("list", bad)).ok()) << bad;
  }
  EXPECT_FALSE(ReadStackList(directory.File("none")).ok());
}

TEST(StackList, ForkedTrials) {
  const ScratchDirectory directory;
  const auto trials = ReadForkedTrials(directory.Write("forked", "0000000000000001 4711 256 0\n0000000000000002 0 0 0\n0000000000000003 5 6 1\n"));
  ASSERT_TRUE(trials.ok()) << trials.status();
  ASSERT_EQ(3u, trials->size());
  EXPECT_EQ(4711, (*trials)[0].pid);
  EXPECT_EQ(256, (*trials)[0].wait_status);
  EXPECT_FALSE((*trials)[0].timed_out);
  EXPECT_EQ(0, (*trials)[1].pid);
  EXPECT_TRUE((*trials)[2].timed_out);
  EXPECT_FALSE(ReadForkedTrials(directory.Write("forked", "0000000000000001 4711 256\n")).ok());
}

}  // namespace
}  // namespace mallocspy

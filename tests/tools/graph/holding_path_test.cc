#include "tools/graph/holding_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/graph/drawn_graph.h"

namespace mallocspy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<uint32_t> BlocksOf(const HoldingPath& path) {
  std::vector<uint32_t> blocks;
  for (const HoldingStep& step : path.steps) blocks.push_back(step.block);
  return blocks;
}

TEST(HoldingPath, IsTheShortest) {
  DrawnGraph drawn;
  const uint32_t a = drawn.Block(64), b = drawn.Block(64), c = drawn.Block(64), target = drawn.Block(64);
  const uint32_t far = drawn.Root(a), near = drawn.Root(c, ledger::RootKind::kStack, 7, 0x7000, 16);
  drawn.Point(a, 0, b);
  drawn.Point(b, 0, c);
  drawn.Point(b, 7, target);
  drawn.Point(c, 2, target, 24);
  drawn.Point(c, 5, target);
  drawn.Point(target, 0, a);
  const ObjectGraph graph(drawn.snapshot());
  const std::vector<HoldingPath> paths = FindHoldingPaths(drawn.snapshot(), graph, target);
  ASSERT_EQ(paths.size(), 1u);
  EXPECT_EQ(paths[0].root, near);
  EXPECT_THAT(BlocksOf(paths[0]), ElementsAre(c, target));
  EXPECT_EQ(paths[0].steps[0].offset, 16u);
  EXPECT_EQ(paths[0].steps[1].word, 5u) << "the pointer to its start";
  EXPECT_EQ(paths[0].steps[1].offset, 0u);

  const std::vector<HoldingPath> several = FindHoldingPaths(drawn.snapshot(), graph, target, 5);
  ASSERT_EQ(several.size(), 2u);
  EXPECT_EQ(several[1].root, far);
  EXPECT_THAT(BlocksOf(several[1]), ElementsAre(a, b, target));
  EXPECT_EQ(several[1].steps[2].word, 7u);
}

TEST(HoldingPath, MayBeOnePointer) {
  DrawnGraph drawn;
  const uint32_t target = drawn.Block(8);
  drawn.Point(target, 0, target);
  const uint32_t inside = drawn.Root(target, ledger::RootKind::kGlobal, 0, 0x40, 4), start = drawn.Root(target);
  const ObjectGraph graph(drawn.snapshot());
  EXPECT_EQ(FindHoldingPaths(drawn.snapshot(), graph, target)[0].root, start);
  const std::vector<HoldingPath> both = FindHoldingPaths(drawn.snapshot(), graph, target, 3);
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[1].root, inside);
  EXPECT_THAT(BlocksOf(both[1]), ElementsAre(target));
}

TEST(HoldingPath, IsNoneOfALostBlock) {
  DrawnGraph drawn;
  const uint32_t a = drawn.Block(8), b = drawn.Block(8), held = drawn.Block(8);
  drawn.Point(a, 0, b);
  drawn.Point(b, 0, a);
  drawn.Point(b, 1, held);
  drawn.Root(held);
  const ObjectGraph graph(drawn.snapshot());
  EXPECT_THAT(FindHoldingPaths(drawn.snapshot(), graph, a, 3), IsEmpty());
}

}  // namespace
}  // namespace mallocspy

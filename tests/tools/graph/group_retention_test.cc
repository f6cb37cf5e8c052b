#include "tools/graph/group_retention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/graph/drawn_graph.h"

namespace mallocspy {
namespace {

using ::testing::ElementsAre;

TEST(GroupRetention, CountsNothingTwice) {
  DrawnGraph drawn;
  const uint32_t a = drawn.Block(1), inner = drawn.Block(10), a_again = drawn.Block(100), other_a = drawn.Block(1000);
  drawn.Root(a);
  drawn.Point(a, 0, inner);
  drawn.Point(inner, 0, a_again);
  drawn.Root(other_a);
  const ObjectGraph graph(drawn.snapshot());
  const DominatorTree tree(drawn.snapshot(), graph);
  const std::vector<uint64_t> retained = RetainedByGroups(tree, 3, [&](uint32_t node) -> uint32_t {
    if (!graph.IsBlock(node)) return kNoGroup;
    return node == inner ? 1 : 0;
  });
  EXPECT_THAT(retained, ElementsAre(1111, 110, 0));
}

}  // namespace
}  // namespace mallocspy

#include "tools/graph/object_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/graph/drawn_graph.h"

namespace mallocspy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<uint32_t> Predecessors(const ObjectGraph& graph, uint32_t block) {
  std::vector<uint32_t> result;
  graph.ForEachPredecessor(block, [&result](uint32_t node) { result.push_back(node); });
  return result;
}

TEST(ObjectGraph, OfNothingIsEmpty) {
  DrawnGraph drawn;
  const ObjectGraph graph(drawn.snapshot());
  EXPECT_EQ(graph.blocks(), 0u);
}

TEST(ObjectGraph, KnowsReferencesBothWays) {
  DrawnGraph drawn;
  const uint32_t a = drawn.Block(32), b = drawn.Block(16), c = drawn.Block(8);
  drawn.Point(c, 0, c);
  drawn.Point(a, 3, b, 8);
  drawn.Point(a, 1, c);
  drawn.Point(b, 0, c);
  drawn.Point(a, 0, c, 4);
  const uint32_t first = drawn.Root(a), second = drawn.Root(c);
  const ObjectGraph graph(drawn.snapshot());
  ASSERT_EQ(graph.blocks(), 3u);
  ASSERT_EQ(graph.ReferencesFrom(a).size(), 3u);
  EXPECT_EQ(graph.ReferencesFrom(a)[0].offset, 4u);
  EXPECT_EQ(graph.ReferencesFrom(a)[2].to, b);
  EXPECT_THAT(graph.ReferrersOf(a), IsEmpty());
  EXPECT_THAT(graph.ReferrersOf(b), ElementsAre(a));
  EXPECT_THAT(graph.ReferrersOf(c), ElementsAre(a, a, b, c));
  EXPECT_THAT(graph.RootReferencesTo(a), ElementsAre(0));
  EXPECT_THAT(graph.RootReferencesTo(b), IsEmpty());
  EXPECT_THAT(graph.RootReferencesFrom(graph.HolderNode(second)), ElementsAre(1));
  EXPECT_EQ(graph.OutDegree(a), 3u);
  EXPECT_EQ(graph.Successor(a, 2), b);
  EXPECT_EQ(graph.OutDegree(graph.HolderNode(first)), 1u);
  EXPECT_EQ(graph.Successor(graph.HolderNode(first), 0), a);
  EXPECT_THAT(Predecessors(graph, c), ElementsAre(graph.HolderNode(second), a, a, b, c));
}

TEST(ObjectGraph, PutsRootWordsTogether) {
  DrawnGraph drawn;
  const uint32_t a = drawn.Block(8), b = drawn.Block(8);
  drawn.Root(b);
  drawn.Root(a);
  drawn.Root(b);
  const ObjectGraph graph(drawn.snapshot(), {0, 1, 2, 1}, 3);
  EXPECT_EQ(graph.nodes(), 5u);
  EXPECT_EQ(graph.HolderNode(1), 3u);
  EXPECT_EQ(graph.HolderNode(3), 3u);
  EXPECT_THAT(graph.RootReferencesFrom(3), ElementsAre(0, 2));
  EXPECT_THAT(graph.RootReferencesFrom(2), IsEmpty());
  EXPECT_THAT(Predecessors(graph, b), ElementsAre(3, 3));
}

}  // namespace
}  // namespace mallocspy

#include "tools/graph/dominator_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "tests/tools/graph/drawn_graph.h"

namespace mallocspy {
namespace {

using ::testing::ElementsAre;

TEST(DominatorTree, OfNothing) {
  DrawnGraph drawn;
  const ObjectGraph graph(drawn.snapshot());
  const DominatorTree tree(drawn.snapshot(), graph);
  EXPECT_EQ(tree.RetainedBytes(tree.top()), 0u);
  EXPECT_EQ(tree.RetainedBlocks(tree.top()), 0u);
}

TEST(DominatorTree, AListHangsOnItsHead) {
  DrawnGraph drawn;
  const uint32_t a = drawn.Block(1), b = drawn.Block(10), c = drawn.Block(100);
  // Doubly linked.
  drawn.Point(a, 0, b);
  drawn.Point(b, 0, c);
  drawn.Point(b, 1, a);
  drawn.Point(c, 1, b);
  const uint32_t root = drawn.Root(a);
  const ObjectGraph graph(drawn.snapshot());
  const DominatorTree tree(drawn.snapshot(), graph);
  EXPECT_EQ(tree.DominatorOf(a), graph.HolderNode(root));
  EXPECT_EQ(tree.DominatorOf(graph.HolderNode(root)), tree.top());
  EXPECT_EQ(tree.DominatorOf(b), a);
  EXPECT_EQ(tree.DominatorOf(c), b);
  EXPECT_EQ(tree.RetainedBytes(a), 111u);
  EXPECT_EQ(tree.RetainedBytes(b), 110u);
  EXPECT_EQ(tree.RetainedBlocks(b), 2u);
  EXPECT_EQ(tree.RetainedBytes(graph.HolderNode(root)), 111u);
  EXPECT_EQ(tree.RetainedBytes(tree.top()), 111u);
  EXPECT_THAT(tree.downwards(), ElementsAre(graph.HolderNode(root), a, b, c));
}

TEST(DominatorTree, WhatTwoShareHangsAboveBoth) {
  DrawnGraph drawn;
  const uint32_t owner = drawn.Block(1), left = drawn.Block(2), right = drawn.Block(4), shared = drawn.Block(8), below = drawn.Block(16);
  drawn.Point(owner, 0, left);
  drawn.Point(owner, 1, right);
  drawn.Point(left, 0, shared);
  drawn.Point(right, 0, shared);
  drawn.Point(shared, 0, below);
  drawn.Point(shared, 1, shared);
  drawn.Root(owner);
  const ObjectGraph graph(drawn.snapshot());
  const DominatorTree tree(drawn.snapshot(), graph);
  EXPECT_EQ(tree.DominatorOf(shared), owner);
  EXPECT_EQ(tree.RetainedBytes(left), 2u);
  EXPECT_EQ(tree.RetainedBytes(shared), 24u);
  EXPECT_THAT(tree.DirectlyBelow(owner), ElementsAre(left, right, shared));
}

TEST(DominatorTree, WhatTwoRootsHoldHangsOnNeither) {
  DrawnGraph drawn;
  const uint32_t a = drawn.Block(1), b = drawn.Block(2);
  drawn.Root(a);
  drawn.Point(a, 0, b);
  const uint32_t second = drawn.Root(b);
  const ObjectGraph each(drawn.snapshot());
  const DominatorTree apart(drawn.snapshot(), each);
  EXPECT_EQ(apart.DominatorOf(b), apart.top());
  EXPECT_EQ(apart.RetainedBytes(each.HolderNode(second)), 0u);
  // As words of one variable they hold it together.
  const ObjectGraph one(drawn.snapshot(), {0, 1, 1}, 2);
  const DominatorTree together(drawn.snapshot(), one);
  EXPECT_EQ(together.DominatorOf(b), one.HolderNode(second));
  EXPECT_EQ(together.RetainedBytes(one.HolderNode(second)), 3u);
}

TEST(DominatorTree, LostBlocksHaveAPlace) {
  DrawnGraph drawn;
  const uint32_t tail = drawn.Block(1), first = drawn.Block(2), second = drawn.Block(4, ledger::Reach::kDefinite), lone = drawn.Block(8);
  drawn.Point(first, 0, second);
  drawn.Point(second, 0, first);
  drawn.Point(first, 1, tail);
  const ObjectGraph graph(drawn.snapshot());
  const DominatorTree tree(drawn.snapshot(), graph);
  EXPECT_EQ(tree.DominatorOf(second), tree.top());
  EXPECT_EQ(tree.DominatorOf(first), second);
  EXPECT_EQ(tree.DominatorOf(tail), first);
  EXPECT_EQ(tree.DominatorOf(lone), tree.top());
  EXPECT_EQ(tree.RetainedBytes(second), 7u);
}

TEST(DominatorTree, ChainsAreNotLimitedByTheStack) {
  DrawnGraph drawn;
  constexpr uint32_t kBlocks = 300000;
  for (uint32_t i = 0; i < kBlocks; ++i) drawn.Block(1);
  for (uint32_t i = 0; i + 1 < kBlocks; ++i) {
    drawn.Point(i, 0, i + 1);
    drawn.Point(i + 1, 1, i);
  }
  drawn.Root(0);
  const ObjectGraph graph(drawn.snapshot());
  const DominatorTree tree(drawn.snapshot(), graph);
  EXPECT_EQ(tree.RetainedBlocks(0), kBlocks);
  EXPECT_EQ(tree.DominatorOf(kBlocks - 1), kBlocks - 2);
}

// By the definition, and far too slow for a real heap.
class Naive {
 public:
  Naive(const ObjectGraph& graph, const std::set<uint32_t>& heads) : graph_(graph), heads_(heads) {}

  // What is met from the top without going through `left_out`.
  std::vector<bool> Reached(uint32_t left_out) const {
    std::vector<bool> reached(graph_.nodes());
    for (uint32_t node = graph_.blocks(); node < graph_.nodes(); ++node) Mark(node, left_out, &reached);
    for (const uint32_t head : heads_) Mark(head, left_out, &reached);
    return reached;
  }

  void Mark(uint32_t start, uint32_t left_out, std::vector<bool>* reached) const {
    std::vector<uint32_t> waiting = {start};
    while (!waiting.empty()) {
      const uint32_t node = waiting.back();
      waiting.pop_back();
      if (node == left_out || (*reached)[node]) continue;
      (*reached)[node] = true;
      for (uint32_t i = 0; i < graph_.OutDegree(node); ++i) waiting.push_back(graph_.Successor(node, i));
    }
  }

 private:
  const ObjectGraph& graph_;
  const std::set<uint32_t> heads_;
};

constexpr uint32_t kNobody = UINT32_MAX;

// Blocks directly below the top that no root leads to, and into whose cycle nothing points from outside.
std::set<uint32_t> HeadsOf(const ObjectGraph& graph, const DominatorTree& tree) {
  const std::vector<bool> held = Naive(graph, {}).Reached(kNobody);
  std::vector<std::vector<bool>> from(graph.blocks(), std::vector<bool>(graph.nodes()));
  for (uint32_t block = 0; block < graph.blocks(); ++block) Naive(graph, {}).Mark(block, kNobody, &from[block]);
  std::set<uint32_t> heads;
  for (uint32_t block = 0; block < graph.blocks(); ++block) {
    if (held[block]) continue;
    bool source = true;
    uint32_t at_the_top = 0;
    for (uint32_t other = 0; other < graph.blocks(); ++other) {
      if (from[other][block] && !from[block][other]) source = false;
      if (from[other][block] && from[block][other] && tree.DominatorOf(other) == tree.top()) ++at_the_top;
    }
    if (!source) continue;
    EXPECT_EQ(at_the_top, 1u) << "each such cycle has one head";
    if (tree.DominatorOf(block) == tree.top()) heads.insert(block);
  }
  return heads;
}

void CheckAgainstNaive(const ObjectGraph& graph, const Snapshot& snapshot) {
  const DominatorTree tree(snapshot, graph);
  const Naive naive(graph, HeadsOf(graph, tree));
  const std::vector<bool> everything = naive.Reached(kNobody);
  std::vector<std::set<uint32_t>> dominators(graph.nodes());
  for (uint32_t node = 0; node < graph.nodes(); ++node) {
    const std::vector<bool> without = naive.Reached(node);
    uint64_t bytes = 0;
    uint32_t blocks = 0;
    for (uint32_t other = 0; other < graph.nodes(); ++other) {
      if (without[other]) continue;
      dominators[other].insert(node);
      if (!graph.IsBlock(other)) continue;
      bytes += snapshot.blocks[other].size;
      ++blocks;
    }
    EXPECT_EQ(tree.RetainedBytes(node), bytes) << node;
    EXPECT_EQ(tree.RetainedBlocks(node), blocks) << node;
  }
  for (uint32_t block = 0; block < graph.blocks(); ++block) {
    ASSERT_TRUE(everything[block]) << block;
    std::set<uint32_t> above = dominators[block];
    above.erase(block);
    std::set<uint32_t> chain;
    for (uint32_t up = tree.DominatorOf(block); up != tree.top(); up = tree.DominatorOf(up)) chain.insert(up);
    EXPECT_EQ(chain, above) << block;
    if (!above.empty()) {
      EXPECT_EQ(dominators[tree.DominatorOf(block)], above) << block;
    }
  }
}

TEST(DominatorTree, AgreesWithTheDefinitionOnRandomGraphs) {
  std::mt19937 random(20);
  for (int round = 0; round < 400; ++round) {
    DrawnGraph drawn;
    const uint32_t blocks = 1 + random() % 24;
    for (uint32_t i = 0; i < blocks; ++i) drawn.Block(1 + random() % 100);
    const uint32_t references = random() % (3 * blocks);
    for (uint32_t i = 0; i < references; ++i) drawn.Point(random() % blocks, i, random() % blocks);
    const uint32_t roots = random() % 4;
    for (uint32_t i = 0; i < roots; ++i) drawn.Root(random() % blocks);
    SCOPED_TRACE(round);
    if (round % 2 == 0) {
      CheckAgainstNaive(ObjectGraph(drawn.snapshot()), drawn.snapshot());
    } else {
      CheckAgainstNaive(ObjectGraph(drawn.snapshot(), std::vector<uint32_t>(roots + 1, 0), 1), drawn.snapshot());
    }
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace mallocspy

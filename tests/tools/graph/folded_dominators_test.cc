#include "tools/graph/folded_dominators.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/tools/graph/drawn_graph.h"

namespace mallocspy {
namespace {

using ::testing::ElementsAre;

// "PARENT: NODES nodes, BYTES bytes, BLOCKS blocks" of each; kinds of blocks as the test says, others by their number.
std::vector<std::string> Fold(DrawnGraph* drawn, const std::map<uint32_t, uint64_t>& kinds, size_t most = 1000) {
  const ObjectGraph graph(drawn->snapshot());
  const DominatorTree tree(drawn->snapshot(), graph);
  std::vector<std::string> rows;
  const auto kind_of = [&](uint32_t node) { return kinds.contains(node) ? kinds.at(node) : 1000 + node; };
  for (const FoldedDominator& folded : FoldDominators(tree, kind_of, most)) {
    rows.push_back(absl::StrCat(folded.parent, folded.example == FoldedDominator::kOthers ? " others" : "", ": ", folded.nodes, " ", folded.bytes, " ",
                                folded.blocks));
  }
  return rows;
}

TEST(FoldedDominators, WhatIsAlikeIsOne) {
  DrawnGraph drawn;
  const uint32_t table = drawn.Block(100);
  std::map<uint32_t, uint64_t> kinds;
  for (uint32_t i = 0; i < 5; ++i) {
    const uint32_t session = drawn.Block(10), text = drawn.Block(1);
    drawn.Point(table, i, session);
    drawn.Point(session, 0, text);
    kinds[session] = 1;
    kinds[text] = 2;
  }
  drawn.Root(table);
  EXPECT_THAT(Fold(&drawn, kinds), ElementsAre("0: 1 155 11", "0: 1 155 11", "1: 1 155 11", "2: 5 55 10", "3: 5 5 5"))
      << "all, the root's word, the table, its sessions, their texts";
}

TEST(FoldedDominators, AChainIsOneAndNotDeep) {
  DrawnGraph drawn;
  std::map<uint32_t, uint64_t> kinds;
  constexpr uint32_t kLinks = 100000;
  for (uint32_t i = 0; i < kLinks; ++i) {
    const uint32_t link = drawn.Block(10);
    kinds[link] = 1;
    if (i != 0) drawn.Point(link - 1, 0, link);
  }
  drawn.Root(0);
  const uint32_t hung = drawn.Block(500000);
  drawn.Point(kLinks - 1, 1, hung);
  EXPECT_THAT(Fold(&drawn, kinds),
              ElementsAre("0: 1 1500000 100001", "0: 1 1500000 100001", "1: 1 1500000 100001", "2: 1 500000 1"));
}

TEST(FoldedDominators, SmallOnesAreOthers) {
  DrawnGraph drawn;
  const uint32_t table = drawn.Block(100000);
  drawn.Root(table);
  for (uint32_t i = 0; i < 10; ++i) drawn.Point(table, i, drawn.Block(i));
  drawn.Point(table, 10, drawn.Block(1000));
  EXPECT_THAT(Fold(&drawn, {}), ElementsAre("0: 1 101045 12", "0: 1 101045 12", "1: 1 101045 12", "2: 1 1000 1", "2 others: 10 45 10"));
}

TEST(FoldedDominators, TheLargestAreOpenedFirst) {
  DrawnGraph drawn;
  for (uint32_t i = 0; i < 4; ++i) {
    const uint32_t top = drawn.Block(100 * (i + 1)), below = drawn.Block(10);
    drawn.Root(top, ledger::RootKind::kGlobal, 0, 0x1000 * (i + 1));
    drawn.Point(top, 0, below);
  }
  const std::vector<std::string> rows = Fold(&drawn, {}, 6);
  EXPECT_THAT(rows, ElementsAre("0: 1 1040 8", "0: 1 410 2", "0: 1 310 2", "0: 1 210 2", "0: 1 110 2", "1: 1 410 2"));
}

TEST(FoldedDominators, OfNothing) {
  DrawnGraph drawn;
  EXPECT_THAT(Fold(&drawn, {}), ElementsAre("0: 1 0 0"));
}

}  // namespace
}  // namespace mallocspy

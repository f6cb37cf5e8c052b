#include "tools/graph/root_holders.h"

#include <gtest/gtest.h>

#include "tests/tools/graph/drawn_graph.h"
#include "tests/tools/graph/this_program.h"

namespace depot {
void* g_shelf[4];
}  // namespace depot

namespace mallocspy {
namespace {

TEST(RootHolders, PutTheWordsOfAVariableTogether) {
  DrawnGraph drawn;
  const uint32_t block = drawn.Block(16);
  const auto shelf = reinterpret_cast<uint64_t>(&depot::g_shelf);
  const uint32_t third = drawn.Root(block, ledger::RootKind::kGlobal, 0, shelf + 16);
  const uint32_t stack = drawn.Root(block, ledger::RootKind::kStack, 12, 0x7ff0);
  const uint32_t first = drawn.Root(block, ledger::RootKind::kGlobal, 0, shelf);
  const uint32_t other_stack = drawn.Root(block, ledger::RootKind::kStack, 13, 0x7ff8);
  const uint32_t elsewhere = drawn.Root(block, ledger::RootKind::kGlobal, 0, 0x10);
  const uint32_t near = drawn.Root(block, ledger::RootKind::kMapping, 0, 0x900000);
  const uint32_t nearer = drawn.Root(block, ledger::RootKind::kMapping, 0, 0x900100);
  const uint32_t far = drawn.Root(block, ledger::RootKind::kMapping, 0, 0x90000000);
  Snapshot& snapshot = drawn.snapshot();
  AddThisProgram(&snapshot, &depot::g_shelf);
  snapshot.threads.push_back({12, "worker"});
  FrameNamer namer(false);
  const RootHolders holders(snapshot, &namer);
  EXPECT_EQ(holders.of_roots()[first], holders.of_roots()[third]);
  EXPECT_EQ(holders.Of(first).name, "depot::g_shelf");
  EXPECT_EQ(holders.Of(first).words, 2u);
  EXPECT_NE(holders.NameOfWord(third).find("depot::g_shelf+0x10 in "), std::string::npos) << holders.NameOfWord(third);
  EXPECT_EQ(holders.NameOfWord(stack), "stack of thread 12 \"worker\" at 0x7ff0");
  EXPECT_EQ(holders.Of(other_stack).name, "stack of thread 13");
  EXPECT_EQ(holders.NameOfWord(elsewhere), "data at 0x10");
  EXPECT_EQ(holders.of_roots()[near], holders.of_roots()[nearer]);
  EXPECT_NE(holders.of_roots()[near], holders.of_roots()[far]);
  EXPECT_EQ(holders.NameOfWord(nearer), "mapping at 0x900000+0x100");
  EXPECT_EQ(holders.all().size(), 7u) << "with that of no root";
}

}  // namespace
}  // namespace mallocspy

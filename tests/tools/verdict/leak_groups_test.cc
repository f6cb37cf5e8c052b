#include "tools/verdict/leak_groups.h"

#include <gtest/gtest.h>

#include "tests/tools/ledger_builder.h"
#include "tools/reader/reader.h"

namespace mallocspy {
namespace {

std::vector<LeakGroup> Group(LedgerBuilder* ledger) {
  const std::string bytes = ledger->Bytes();
  const absl::StatusOr<Snapshot> snapshot = ReadSnapshot(MemorySource(bytes), "x");
  EXPECT_TRUE(snapshot.ok()) << snapshot.status();
  return GroupLiveBlocks(*snapshot);
}

TEST(LeakGroups, BlocksOfOneStackAreOneGroupLargestFirst) {
  LedgerBuilder ledger;
  const uint32_t module = ledger.AddModule("/a", "", 0);
  const uint32_t small = ledger.AddStack({{module, 1}}, Door::kMalloc);
  const uint32_t large = ledger.AddStack({{module, 2}}, Door::kNew);
  ledger.AddBlock(small, 0x1000, 10);
  ledger.AddBlock(large, 0x2000, 100);
  ledger.AddBlock(large, 0x3000, 100);
  ledger.End(ledger::End::kExit, 0);
  const std::vector<LeakGroup> groups = Group(&ledger);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].bytes, 200u);
  EXPECT_EQ(groups[0].blocks, 2u);
  EXPECT_EQ(groups[0].door, Door::kNew);
  EXPECT_EQ(groups[0].mark, 1u);
  EXPECT_EQ(groups[1].bytes, 10u);
}

TEST(LeakGroups, AReloadedModuleDoesNotSplitALeak) {
  LedgerBuilder ledger;
  const uint32_t before = ledger.AddModule("/plugin.so", "id", 0x1000);
  const uint32_t after = ledger.AddModule("/plugin.so", "id", 0x9000);
  const uint32_t rebuilt = ledger.AddModule("/plugin.so", "other", 0x9000);
  for (const uint32_t module : {before, after, rebuilt}) {
    ledger.AddBlock(ledger.AddStack({{module, 1}, {module, 2}}, Door::kMalloc), 0x1000 * module, 8);
  }
  ledger.End(ledger::End::kExit, 0);
  const std::vector<LeakGroup> groups = Group(&ledger);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].blocks, 2u);
  EXPECT_EQ(groups[1].blocks, 1u);  // another build is other code
}

TEST(LeakGroups, NeitherFlagsNorMarksSplitALeakButDoorsDo) {
  LedgerBuilder ledger;
  const uint32_t module = ledger.AddModule("/a", "", 0);
  const uint32_t whole = ledger.AddStack({{module, 1}}, Door::kMalloc);
  const uint32_t cut = ledger.AddStack({{module, 1}}, Door::kMalloc, ledger::kStackTruncated);
  const uint32_t other_door = ledger.AddStack({{module, 1}}, Door::kNew);
  ledger.AddBlock(whole, 0x1000, 8, 3);
  ledger.AddBlock(cut, 0x2000, 8, 1);
  ledger.AddBlock(other_door, 0x3000, 8, 1);
  ledger.AddBlock(whole, 0x4000, 8, 2);
  ledger.End(ledger::End::kExit, 0);
  const std::vector<LeakGroup> groups = Group(&ledger);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].blocks, 3u);
  EXPECT_TRUE(groups[0].truncated);
  EXPECT_EQ(groups[0].mark, 1u);  // of the oldest
  EXPECT_EQ(groups[1].door, Door::kNew);
}

TEST(LeakGroups, OurOwnInnerFramesAreCut) {
  LedgerBuilder ledger;
  const uint32_t self = ledger.AddModule("/libmallocspy.so", "", 0, ledger::kModuleSelf);
  const uint32_t module = ledger.AddModule("/a", "", 0);
  ledger.AddBlock(ledger.AddStack({{self, 5}, {self, 6}, {module, 1}}, Door::kMalloc), 0x1000, 8);
  ledger.AddBlock(ledger.AddStack({{module, 1}}, Door::kMalloc), 0x2000, 8);
  ledger.End(ledger::End::kExit, 0);
  EXPECT_EQ(Group(&ledger).size(), 1u);
}

TEST(LeakGroups, InheritedBlocksAreNoLeaks) {
  LedgerBuilder ledger;
  const uint32_t module = ledger.AddModule("/a", "", 0);
  const uint32_t stack = ledger.AddStack({{module, 1}}, Door::kMalloc);
  ledger.header().origin = ledger::Origin::kFork;
  ledger.header().base_mark = 5;
  ledger.AddBlock(stack, 0x1000, 8, 4);
  ledger.AddBlock(stack, 0x2000, 16, 5);
  ledger.AddBlock(stack, 0x3000, 32, 0, ledger::kBlockHeaderDestroyed);  // cannot tell; most likely the parent's
  ledger.End(ledger::End::kExit, 0);
  const std::vector<LeakGroup> groups = Group(&ledger);
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].bytes, 16u);
}

TEST(LeakGroups, ABlockWithoutHeaderIsALeakOfUnknownSize) {
  LedgerBuilder ledger;
  ledger.AddBlock(0, 0x1000, 0, 0, ledger::kBlockHeaderDestroyed);
  ledger.End(ledger::End::kExit, 0);
  const std::vector<LeakGroup> groups = Group(&ledger);
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].blocks, 1u);
  EXPECT_EQ(groups[0].bytes, 0u);
  EXPECT_EQ(groups[0].node, 0u);
  EXPECT_FALSE(groups[0].mark.has_value());
}

TEST(LeakGroups, OfAKilledProcessTheCountersTell) {
  LedgerBuilder ledger;
  const uint32_t module = ledger.AddModule("/a", "", 0);
  const uint32_t live = ledger.AddStack({{module, 1}}, Door::kMalloc);
  const uint32_t balanced = ledger.AddStack({{module, 2}}, Door::kMalloc);
  const uint32_t torn = ledger.AddStack({{module, 3}}, Door::kMalloc);
  ledger.CountAllocations(live, 5, 50);
  ledger.CountFrees(live, 2, 20);
  ledger.CountAllocations(balanced, 5, 50);
  ledger.CountFrees(balanced, 5, 50);
  ledger.CountFrees(torn, 1, 10);  // the allocation was not visible yet
  const std::vector<LeakGroup> groups = Group(&ledger);
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].blocks, 3u);
  EXPECT_EQ(groups[0].bytes, 30u);
  EXPECT_FALSE(groups[0].mark.has_value());
}

TEST(LeakGroups, EqualSizesComeInOneOrderWhateverTheAddresses) {
  std::vector<std::vector<uint64_t>> orders;
  for (const bool swapped : {false, true}) {
    LedgerBuilder ledger;
    const uint32_t first = ledger.AddModule(swapped ? "/b" : "/a", "", 0x1000);
    const uint32_t second = ledger.AddModule(swapped ? "/a" : "/b", "", 0x2000);
    ledger.AddBlock(ledger.AddStack({{first, swapped ? 2u : 1u}}, Door::kMalloc), 0x1000, 8);
    ledger.AddBlock(ledger.AddStack({{second, swapped ? 1u : 2u}}, Door::kMalloc), 0x2000, 8);
    ledger.End(ledger::End::kExit, 0);
    const std::string bytes = ledger.Bytes();
    const absl::StatusOr<Snapshot> snapshot = ReadSnapshot(MemorySource(bytes), "x");
    ASSERT_TRUE(snapshot.ok());
    std::vector<uint64_t>& order = orders.emplace_back();
    for (const LeakGroup& group : GroupLiveBlocks(*snapshot)) {
      order.push_back(snapshot->nodes[group.node].site & ledger::kSiteOffsetMask);
    }
  }
  EXPECT_EQ(orders[0], orders[1]);
  EXPECT_EQ(orders[0].size(), 2u);
}

TEST(LeakGroups, ClassesAreApartAndTheSurestComeFirst) {
  LedgerBuilder ledger;
  const uint32_t module = ledger.AddModule("/prog", "id", 0x1000);
  const uint32_t stack = ledger.AddStack({{module, 1}}, Door::kMalloc);
  const uint32_t root = ledger.AddRoot(ledger::RootKind::kStack, 7, 0x7000);
  using ledger::Reach;
  ledger.AddBlock(stack, 0x10, 1000, 1, 0, Reach::kReachable);
  ledger.AddBlock(stack, 0x20, 500, 1, 0, Reach::kReachable, root);
  ledger.AddBlock(stack, 0x30, 100, 1, 0, Reach::kPossible, root);
  ledger.AddBlock(stack, 0x40, 10, 1, 0, Reach::kIndirect);
  ledger.AddBlock(stack, 0x50, 1, 1, 0, Reach::kDefinite);
  ledger.AddBlock(stack, 0x60, 1, 1, 0, Reach::kDefinite);
  ledger.End(ledger::End::kExit, 0);
  const std::vector<LeakGroup> groups = Group(&ledger);
  ASSERT_EQ(groups.size(), 4u);
  EXPECT_EQ(groups[0].leak_class, LeakClass::kDefinite);
  EXPECT_EQ(groups[0].blocks, 2u);
  EXPECT_EQ(groups[1].leak_class, LeakClass::kIndirect);
  EXPECT_EQ(groups[2].leak_class, LeakClass::kPossible);
  EXPECT_EQ(groups[2].root, root);
  EXPECT_EQ(groups[3].leak_class, LeakClass::kReachable);
  EXPECT_EQ(groups[3].bytes, 1500u);
  EXPECT_EQ(groups[3].root, root) << "the first that is known";
}

}  // namespace
}  // namespace mallocspy

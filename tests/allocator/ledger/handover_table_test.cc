#include "allocator/ledger/handover_table.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "allocator/ledger/module_table.h"
#include "allocator/ledger/stack_table.h"
#include "tests/allocator/fresh_process.h"

namespace mallocspy::ledger {
namespace {

uint32_t StackOfModule(uint64_t module) {
  const uint64_t site = module << kSiteModuleShift | 0x100;
  return g_stacks.InternStack(g_stacks.InternNode(&site, 1), Door::kMalloc, 0, 1);
}

// An address of this program's own code.
uintptr_t Here() { return reinterpret_cast<uintptr_t>(&Here); }

void Prepare() {
  ASSERT_TRUE(g_ledger.Create(nullptr, static_cast<uint32_t>(getpid())));
  g_modules.Refresh();
}

TEST(HandoverTable, CountsByModulesAndDoors) {
  InFreshProcess([] {
    Prepare();
    const auto own = static_cast<uint16_t>(g_modules.SiteOfKnown(Here()) >> kSiteModuleShift);
    ASSERT_NE(own, 0);
    const uint32_t stack = StackOfModule(1);
    NoteHandover(stack, Door::kMalloc, 10, Door::kMalloc, Here());
    NoteHandover(stack, Door::kMalloc, 20, Door::kMalloc, Here());
    NoteHandover(stack, Door::kMalloc, 5, Door::kNew, Here());
    NoteHandover(stack, Door::kMalloc, 1, Door::kMalloc, 0);
    ASSERT_EQ(g_ledger.Count(TableId::kHandovers), 4u);
    const Handover* same = g_ledger.At<Handover>(TableId::kHandovers, 1);
    EXPECT_EQ(same->maker, 1);
    EXPECT_EQ(same->freer, own);
    EXPECT_EQ(same->blocks, 2u);
    EXPECT_EQ(same->bytes, 30u);
    const Handover* other_door = g_ledger.At<Handover>(TableId::kHandovers, 2);
    EXPECT_EQ(static_cast<Door>(other_door->freed), Door::kNew);
    EXPECT_EQ(other_door->bytes, 5u);
    EXPECT_EQ(g_ledger.At<Handover>(TableId::kHandovers, 3)->freer, 0);
  });
}

TEST(HandoverTable, ManyPairsEndAsUnknownOnes) {
  InFreshProcess([] {
    Prepare();
    constexpr uint32_t kPairs = 10000;
    for (uint32_t i = 1; i <= kPairs; ++i) NoteHandover(StackOfModule(i), Door::kMalloc, 1, Door::kMalloc, Here());
    uint64_t blocks = 0;
    uint64_t unknown = 0;
    for (uint32_t i = 1; i < g_ledger.Count(TableId::kHandovers); ++i) {
      const Handover* handover = g_ledger.At<Handover>(TableId::kHandovers, i);
      blocks += handover->blocks;
      if (handover->maker == 0) unknown += handover->blocks;
    }
    EXPECT_EQ(blocks, kPairs);
    EXPECT_GT(unknown, 0u);
    EXPECT_LT(unknown, kPairs);
  });
}

TEST(HandoverTable, ThreadsShareTheirRecords) {
  InFreshProcess([] {
    Prepare();
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([] {
        for (int round = 0; round < 1000; ++round) NoteHandover(StackOfModule(1 + round % 3), Door::kMalloc, 2, Door::kMalloc, Here());
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(g_ledger.Count(TableId::kHandovers), 4u);
    uint64_t bytes = 0;
    for (uint32_t i = 1; i < g_ledger.Count(TableId::kHandovers); ++i) bytes += g_ledger.At<Handover>(TableId::kHandovers, i)->bytes;
    EXPECT_EQ(bytes, 8000u);
  });
}

}  // namespace
}  // namespace mallocspy::ledger

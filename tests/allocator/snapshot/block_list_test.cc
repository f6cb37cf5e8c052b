#include "allocator/snapshot/block_list.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <map>
#include <vector>

#include "allocator/ledger/ledger.h"
#include "allocator/process.h"
#include "allocator/snapshot/ending.h"
#include "allocator/wrapping_allocator.h"
#include "tests/allocator/snapshot/ended_process.h"

namespace mallocspy {
namespace {

using ledger::Block;

std::vector<Block> Blocks() {
  std::vector<Block> blocks;
  ForEachBlock(
      [](const Block& block, void* context) {
        static_cast<std::vector<Block>*>(context)->push_back(block);
        return true;
      },
      &blocks);
  return blocks;
}

TEST(BlockList, TellsOfEveryLiveBlock) {
  InFreshProcess([] {
    std::map<uint64_t, std::pair<uint64_t, Door>> expected;
    for (uint32_t i = 0; i < 700; ++i) {
      const Door door = static_cast<Door>(1 + i % (kDoors - 1));
      void* block = g_heap.Allocate(i, {.door = door, .alignment = IsAligned(door) ? size_t{128} : size_t{16}});
      if (i % 3 == 0) {
        g_heap.Deallocate(block, {.door = door});
      } else {
        expected[reinterpret_cast<uintptr_t>(block)] = {i, door};
      }
    }
    const std::vector<Block> blocks = Blocks();
    EXPECT_EQ(blocks.size(), expected.size());
    EXPECT_EQ(CountLiveBlocks(), expected.size());
    for (const Block& block : blocks) {
      ASSERT_EQ(expected.count(block.address), 1u);
      EXPECT_EQ(block.size, expected[block.address].first);
      EXPECT_EQ(static_cast<Door>(block.door), expected[block.address].second);
      EXPECT_EQ(block.flags, 0);
      EXPECT_EQ(block.mark, 1);
      EXPECT_NE(block.stack, 0u);
    }
  });
}

TEST(BlockList, StopsWhenItsTakerHasEnough) {
  InFreshProcess([] {
    for (int i = 0; i < 10; ++i) g_heap.Allocate(1, {});
    int taken = 0;
    ForEachBlock([](const Block&, void* context) { return ++*static_cast<int*>(context) < 3; }, &taken);
    EXPECT_EQ(taken, 3);
  });
}

TEST(BlockList, LeavesOutWhatAForkInherited) {
  InFreshProcess([] {
    for (int i = 0; i < 5; ++i) g_heap.Allocate(1, {});
    EXPECT_TRUE(EndsWell(ForkWith([] {
      void* own = g_heap.Allocate(77, {});
      const std::vector<Block> blocks = Blocks();
      ASSERT_EQ(blocks.size(), 1u);
      EXPECT_EQ(blocks[0].address, reinterpret_cast<uintptr_t>(own));
      EXPECT_EQ(CountLiveBlocks(), 1u);
    })));
    EXPECT_EQ(CountLiveBlocks(), 5u);
  });
}

// More blocks than one piece of the growing list holds.
TEST(BlockList, IsWholeInTheLedger) {
  constexpr size_t kBlocks = 150000;
  const EndedProcess ended = RunRecorded([] {
    for (size_t i = 0; i < kBlocks; ++i) g_heap.Allocate(i % 100, {});
    EndRecord(ledger::End::kExit, 0);
  });
  const Snapshot& snapshot = ended.snapshot;
  EXPECT_TRUE(snapshot.blocks_known);
  ASSERT_EQ(snapshot.blocks.size(), kBlocks);
  std::vector<uint64_t> addresses;
  uint64_t bytes = 0;
  for (const SnapshotBlock& block : snapshot.blocks) {
    addresses.push_back(block.address);
    bytes += block.size;
  }
  std::sort(addresses.begin(), addresses.end());
  EXPECT_EQ(std::unique(addresses.begin(), addresses.end()), addresses.end());
  EXPECT_EQ(bytes, kBlocks * 99 / 2);
  EXPECT_EQ(snapshot.degraded, 0u);
}

TEST(BlockList, WithoutRoomIsSaidToBeIncomplete) {
  const EndedProcess ended = RunRecorded([] {
    const rlimit limit = {1 << 20, 1 << 20};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    for (int i = 0; i < 150000; ++i) g_heap.Allocate(1, {});
    EndRecord(ledger::End::kExit, 0);
  });
  EXPECT_EQ(ended.status, 0);
  const Snapshot& snapshot = ended.snapshot;
  EXPECT_EQ(snapshot.state, ledger::State::kEnded);
  EXPECT_EQ(snapshot.degraded, uint64_t{ledger::kBlocksUnwritten});
  EXPECT_FALSE(snapshot.blocks_known);
  uint64_t live = 0;
  for (const SnapshotStack& stack : snapshot.stacks) live += stack.live_blocks();
  EXPECT_EQ(live, 150000u);
}

}  // namespace
}  // namespace mallocspy

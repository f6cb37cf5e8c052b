// Many threads that allocate, resize and free each other's blocks, and then counters that agree to the last byte: with what the
// threads know, stack by stack and in all.
//
// The short form runs by default; MALLOCSPY_STRESS_OPERATIONS says how many operations the long one does.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "allocator/entrance.h"
#include "allocator/capture/unwinder.h"
#include "allocator/ledger/ledger.h"
#include "allocator/ledger/live_map.h"
#include "allocator/process.h"
#include "allocator/snapshot/block_list.h"
#include "allocator/thread_state.h"
#include "allocator/wrapping_allocator.h"
#include "spy/spy_chain.h"
#include "tests/allocator/fresh_process.h"
#include "tests/allocator/recorded_errors.h"
#include "tests/scratch_directory.h"

namespace mallocspy {
namespace {

using ledger::g_ledger;
using ledger::TableId;

constexpr int kThreads = 8;

uint64_t Operations() {
  const char* text = std::getenv("MALLOCSPY_STRESS_OPERATIONS");
  const uint64_t wanted = text != nullptr ? std::strtoull(text, nullptr, 10) : 0;
  return wanted != 0 ? wanted : 2000000;
}

struct Random {
  uint64_t state;
  uint32_t Next() {
    state = state * 6364136223846793005 + 1442695040888963407;
    return static_cast<uint32_t>(state >> 33);
  }
};

// What every thread puts into its blocks, to see that nobody else does.
void Fill(void* block, size_t bytes) { std::memset(block, static_cast<int>(bytes * 31 % 251), bytes); }
bool IsIntact(const void* block, size_t bytes) {
  const unsigned char* at = static_cast<const unsigned char*>(block);
  const unsigned char value = static_cast<unsigned char>(bytes * 31 % 251);
  for (size_t i = 0; i < bytes; ++i) {
    if (at[i] != value) return false;
  }
  return true;
}

struct Held {
  void* block;
  size_t bytes;
  Door door;
};

// Where threads leave blocks for others to free.
class Exchange {
 public:
  Held Swap(Held mine) {
    std::lock_guard<std::mutex> hold(mutex_);
    std::swap(mine, slot_);
    return mine;
  }

 private:
  std::mutex mutex_;
  Held slot_ = {};
};
std::array<Exchange, 64> exchanges;

bool unwinds = false;

// Allocation places that differ by more than their last frame.
template <int kDepth>
__attribute__((noinline)) void* AllocateAt(size_t bytes, const Request& request) {
  void* block;
  if constexpr (kDepth == 0) {
    block = entrance::Allocate(bytes, request, request.frame != nullptr ? request.frame : MALLOCSPY_DOOR_FRAME());
  } else {
    block = AllocateAt<kDepth - 1>(bytes, request);
  }
  asm volatile("" ::"r"(block) : "memory");
  return block;
}

void* AllocateSomewhere(uint32_t place, size_t bytes, Request request) {
  // Where nothing unwinds this is the stack: one of 500 places.
  const DoorFrame made_up = {0, reinterpret_cast<const char*>(&AllocateSomewhere) + place / 4 % 500};
  if (!unwinds) request.frame = &made_up;
  switch (place % 4) {
    case 0: return AllocateAt<0>(bytes, request);
    case 1: return AllocateAt<2>(bytes, request);
    case 2: return AllocateAt<7>(bytes, request);
    default: return AllocateAt<20>(bytes, request);
  }
}

struct Tally {
  uint64_t allocations = 0;
  uint64_t allocated_bytes = 0;
  uint64_t frees = 0;
  uint64_t freed_bytes = 0;
  uint64_t damaged = 0;
};

void FreeHeld(const Held& held, Tally* tally) {
  if (held.block == nullptr) return;
  if (!IsIntact(held.block, held.bytes) || g_heap.SizeOf(held.block) != held.bytes) ++tally->damaged;
  entrance::Deallocate(held.block, held.door, MALLOCSPY_DOOR_FRAME());
  ++tally->frees;
  tally->freed_bytes += held.bytes;
}

void Work(int thread, uint64_t operations, Tally* tally, std::vector<Held>* left) {
  Random random{static_cast<uint64_t>(thread) * 7919 + 1};
  std::vector<Held>& held = *left;
  for (uint64_t i = 0; i < operations; ++i) {
    const uint32_t dice = random.Next();
    const size_t bytes = dice % 100 == 0 ? random.Next() % 100000 : random.Next() % 300;
    const uint32_t act = dice >> 8 & 15;
    if (act < 6 || held.empty()) {
      const Door door = static_cast<Door>(1 + random.Next() % (kDoors - 1));
      const size_t alignment = IsAligned(door) ? size_t{16} << random.Next() % 5 : kMinAlignment;
      void* block = AllocateSomewhere(random.Next(), bytes, {.door = door, .alignment = alignment});
      if (block == nullptr) std::abort();
      Fill(block, bytes);
      held.push_back({block, bytes, door});
      ++tally->allocations;
      tally->allocated_bytes += bytes;
    } else if (act < 8) {
      Held& one = held[random.Next() % held.size()];
      const Door door = one.door == Door::kAlignedMalloc ? Door::kMalloc : one.door;
      if (IsAligned(door)) continue;  // aligned new is not resized
      if (!IsIntact(one.block, one.bytes)) ++tally->damaged;
      void* block = entrance::Reallocate(one.block, bytes + 1, door, MALLOCSPY_DOOR_FRAME());
      if (block == nullptr) std::abort();
      ++tally->frees;
      tally->freed_bytes += one.bytes;
      ++tally->allocations;
      tally->allocated_bytes += bytes + 1;
      one = {block, bytes + 1, door};
      Fill(one.block, one.bytes);
    } else {
      const size_t which = random.Next() % held.size();
      std::swap(held[which], held.back());
      Held one = held.back();
      held.pop_back();
      // Most go to another thread, which frees what it gets.
      if (act < 14) one = exchanges[random.Next() % exchanges.size()].Swap(one);
      FreeHeld(one, tally);
    }
    while (held.size() > 200) {
      FreeHeld(held.back(), tally);
      held.pop_back();
    }
  }
}

void Stress(bool unwind) {
  unwinds = unwind;
  ASSERT_TRUE(!unwind || LoadUnwinder());
  ASSERT_TRUE(EnsureStarted());
#if !defined(__SANITIZE_THREAD__)
  WatchThreadEnds();
#endif
  const uint64_t operations = Operations();
  std::vector<Tally> tallies(kThreads);
  std::vector<std::vector<Held>> left(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] { Work(t, operations / kThreads, &tallies[t], &left[t]); });
  }
  for (std::thread& thread : threads) thread.join();

  Tally expected;
  for (const Tally& tally : tallies) {
    EXPECT_EQ(tally.damaged, 0u);
    expected.allocations += tally.allocations;
    expected.allocated_bytes += tally.allocated_bytes;
    expected.frees += tally.frees;
    expected.freed_bytes += tally.freed_bytes;
  }
  EXPECT_EQ(AllCounters(), (Counters{expected.allocations, expected.allocated_bytes, expected.frees, expected.freed_bytes}));
  EXPECT_EQ(LiveBytes(), static_cast<int64_t>(expected.allocated_bytes - expected.freed_bytes));
  ledger::CollectLiveBytes();
  EXPECT_EQ(g_ledger.header().live_bytes.load(), LiveBytes());
  EXPECT_GE(g_ledger.header().peak_bytes.load(), g_ledger.header().live_bytes.load());
  EXPECT_TRUE(RecordedErrors().empty());
  EXPECT_EQ(g_ledger.header().degraded.load(), 0u);
  EXPECT_EQ(g_ledger.header().bypassed.load(), 0u);
  EXPECT_EQ(CountersOf(0), Counters{}) << "no stack is unknown";

  // Stack by stack: what its counters leave over is what lives of it.
  const auto check_stacks = [] {
    std::map<uint32_t, std::pair<uint64_t, uint64_t>> live;
    ForEachBlock(
        [](const ledger::Block& block, void* context) {
          auto& of_stack = (*static_cast<std::map<uint32_t, std::pair<uint64_t, uint64_t>>*>(context))[block.stack];
          of_stack.first += 1;
          of_stack.second += block.size;
          EXPECT_EQ(block.flags, 0);
          return true;
        },
        &live);
    for (uint32_t stack = 0; stack < g_ledger.Count(TableId::kStacks); ++stack) {
      const Counters counters = CountersOf(stack);
      ASSERT_EQ(counters.allocations - counters.frees, live[stack].first) << "stack " << stack;
      ASSERT_EQ(counters.allocated_bytes - counters.freed_bytes, live[stack].second) << "stack " << stack;
    }
  };
  check_stacks();

  // No two stacks have the same frames, door and flags, and no two nodes the same parent and site.
  std::map<std::tuple<uint32_t, uint8_t, uint8_t>, uint32_t> stacks;
  for (uint32_t i = 1; i < g_ledger.Count(TableId::kStacks); ++i) {
    const ledger::Stack* stack = g_ledger.At<ledger::Stack>(TableId::kStacks, i);
    EXPECT_TRUE(stacks.insert({{stack->node, stack->door, stack->flags}, i}).second) << "stack " << i;
  }
  std::map<std::pair<uint32_t, uint64_t>, uint32_t> nodes;
  for (uint32_t i = 1; i < g_ledger.Count(TableId::kNodes); ++i) {
    const ledger::Node* node = g_ledger.At<ledger::Node>(TableId::kNodes, i);
    EXPECT_TRUE(nodes.insert({{node->parent, node->site}, i}).second) << "node " << i;
  }
  EXPECT_GT(stacks.size(), 20u);

  Tally rest;
  for (const std::vector<Held>& of_thread : left) {
    for (const Held& held : of_thread) FreeHeld(held, &rest);
  }
  for (Exchange& exchange : exchanges) FreeHeld(exchange.Swap({}), &rest);
  EXPECT_EQ(rest.damaged, 0u);
  EXPECT_EQ(CountLiveBlocks(), 0u);
  EXPECT_EQ(LiveBytes(), 0);
  EXPECT_EQ(AllCounters().allocations, AllCounters().frees);
  EXPECT_EQ(AllCounters().allocated_bytes, AllCounters().freed_bytes);
  check_stacks();
}

TEST(Stress, CountersAreExactWithFullStacks) {
  MALLOCSPY_SKIP_UNDER_TSAN();
  InFreshProcess([] { Stress(true); });
}

TEST(Stress, CountersAreExactWithoutUnwinding) {
  InFreshProcess([] { Stress(false); });
}

TEST(Stress, CountersAreExactInASharedLedger) {
  InFreshProcess([] {
    ScratchDirectory directory;
    SetInitialEnvironment("MALLOCSPY_RUN", directory.path());
    Stress(false);
    EXPECT_TRUE(g_ledger.memory().shared());
  });
}

}  // namespace
}  // namespace mallocspy

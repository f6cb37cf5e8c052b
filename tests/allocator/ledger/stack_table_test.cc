#include "allocator/ledger/stack_table.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <map>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "allocator/ledger/thread_counters.h"
#include "tests/allocator/fresh_process.h"
#include "tests/allocator/ledger/site_stacks.h"
#include "tests/scratch_directory.h"

namespace mallocspy::ledger {
namespace {

uint32_t Intern(const std::vector<uint64_t>& sites) {
  return g_stacks.InternNode(sites.data(), static_cast<uint32_t>(sites.size()));
}

TEST(StackTable, TheEmptyStackIsTheRoot) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    EXPECT_EQ(g_stacks.InternNode(nullptr, 0), 0u);
    const uint32_t stack = g_stacks.InternStack(0, Door::kMalloc, kStackTruncated, 0);
    EXPECT_NE(stack, 0u);
    EXPECT_EQ(g_ledger.At<Stack>(TableId::kStacks, stack)->node, 0u);
  });
}

TEST(StackTable, EqualStacksAreOneAndOthersAreNot) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    const uint32_t node = Intern({1, 2, 3});
    EXPECT_EQ(Intern({1, 2, 3}), node);
    const std::vector<std::vector<uint64_t>> others = {{1}, {1, 2}, {2, 3}, {3}, {3, 2, 1}, {1, 2, 3, 4}, {0, 1, 2, 3},
                                                       {1, 1, 2, 3}, {1, 2, 4}, {4, 2, 3}, {0}, {~uint64_t{0}}};
    std::set<uint32_t> nodes = {node};
    for (const auto& other : others) {
      const uint32_t made = Intern(other);
      // Outer parts of a known stack are nodes of it.
      EXPECT_EQ(SitesAt(made), other);
      nodes.insert(made);
    }
    EXPECT_EQ(nodes.size(), others.size() + 1);
    EXPECT_EQ(SitesAt(node), (std::vector<uint64_t>{1, 2, 3}));
  });
}

TEST(StackTable, CommonOuterFramesAreStoredOnce) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    for (uint64_t inner = 1; inner <= 100; ++inner) Intern({inner, 0x10, 0x20, 0x30});
    EXPECT_EQ(g_ledger.Count(TableId::kNodes), 1u + 3 + 100);
  });
}

TEST(StackTable, HoldsDeepStacks) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    std::vector<uint64_t> sites(4096);
    for (size_t i = 0; i < sites.size(); ++i) sites[i] = i % 3;  // recursion: the same few frames
    const uint32_t node = Intern(sites);
    EXPECT_EQ(SitesAt(node), sites);
    EXPECT_EQ(Intern(sites), node);
    sites.pop_back();
    EXPECT_NE(Intern(sites), node);
  });
}

TEST(StackTable, GrowsAndForgetsNothing) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    constexpr uint64_t kStacks = 50000;
    std::vector<uint32_t> nodes;
    for (uint64_t k = 0; k < kStacks; ++k) nodes.push_back(Intern(SitesOf(k)));
    const uint32_t count = g_ledger.Count(TableId::kNodes);
    EXPECT_EQ(std::set<uint32_t>(nodes.begin(), nodes.end()).size(), kStacks);
    for (uint64_t k = 0; k < kStacks; ++k) {
      ASSERT_EQ(Intern(SitesOf(k)), nodes[k]) << k;
      ASSERT_EQ(SitesAt(nodes[k]), SitesOf(k)) << k;
    }
    EXPECT_EQ(g_ledger.Count(TableId::kNodes), count);
  });
}

TEST(StackTable, DoorsAndFlagsMakeStacksOfTheirOwn) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    const uint32_t node = Intern({1, 2, 3});
    std::set<uint32_t> stacks;
    for (int round = 0; round < 2; ++round) {
      for (uint32_t door = 1; door < kDoors; ++door) {
        for (const uint8_t flags : {uint8_t{0}, uint8_t{kStackTruncated}}) {
          const uint32_t stack = g_stacks.InternStack(node, static_cast<Door>(door), flags, 3);
          ASSERT_NE(stack, 0u);
          const Stack* record = g_ledger.At<Stack>(TableId::kStacks, stack);
          EXPECT_EQ(record->node, node);
          EXPECT_EQ(record->door, door);
          EXPECT_EQ(record->flags, flags);
          EXPECT_EQ(record->depth, 3);
          stacks.insert(stack);
        }
      }
    }
    EXPECT_EQ(stacks.size(), 2u * (kDoors - 1));
    // All of them hang on the node.
    std::set<uint32_t> listed;
    for (uint32_t at = g_ledger.At<Node>(TableId::kNodes, node)->stack; at != 0;
         at = g_ledger.At<Stack>(TableId::kStacks, at)->next) {
      listed.insert(at);
    }
    EXPECT_EQ(listed, stacks);
  });
}

TEST(StackTable, CountsExactly) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    const uint32_t stack = g_stacks.InternStack(Intern({1}), Door::kNew, 0, 1);
    CountAllocationShared(stack, 100);
    CountAllocationShared(stack, 50);
    EXPECT_EQ(g_ledger.header().peak_bytes.load(), 150);
    CountFreeShared(stack, 100);
    CountAllocationShared(0, 20);
    CountAllocationShared(stack, 0);
    const Stack* record = g_ledger.At<Stack>(TableId::kStacks, stack);
    EXPECT_EQ(record->shared.allocations.load(), 3u);
    EXPECT_EQ(record->shared.allocated_bytes.load(), 150u);
    EXPECT_EQ(record->shared.frees.load(), 1u);
    EXPECT_EQ(record->shared.freed_bytes.load(), 100u);
    EXPECT_EQ(g_ledger.At<Stack>(TableId::kStacks, 0)->shared.allocations.load(), 1u);
    EXPECT_EQ(g_ledger.header().live_bytes.load(), 70);
    EXPECT_EQ(g_ledger.header().peak_bytes.load(), 150);
  });
}

// All threads intern the same stacks, each in its own order, and stacks that nobody else has.
TEST(StackTable, ManyThreadsAgreeOnEveryStack) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    constexpr int kThreads = 8;
    constexpr uint64_t kShared = 4000;
    constexpr uint64_t kOwn = 1000;
    std::vector<std::vector<uint32_t>> shared(kThreads, std::vector<uint32_t>(kShared));
    std::vector<std::vector<uint32_t>> own(kThreads, std::vector<uint32_t>(kOwn));
    std::atomic<int> ready{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        std::vector<uint64_t> order(kShared);
        for (uint64_t k = 0; k < kShared; ++k) order[k] = k;
        // Half of the threads collide on every new stack, the others come from anywhere.
        if (t % 2 == 1) std::shuffle(order.begin(), order.end(), std::mt19937(static_cast<unsigned>(t)));
        ++ready;
        while (ready != kThreads) {
        }
        for (uint64_t i = 0; i < kShared; ++i) {
          const uint64_t k = order[i];
          const std::vector<uint64_t> sites = SitesOf(k);
          shared[t][k] = g_stacks.InternStack(Intern(sites), Door::kMalloc, 0, static_cast<uint32_t>(sites.size()));
          CountAllocationShared(shared[t][k], k);
          if (i % (kShared / kOwn) == 0) {
            const std::vector<uint64_t> mine = SitesOf(1000000 * (t + 1) + i);
            own[t][i / (kShared / kOwn)] = g_stacks.InternStack(Intern(mine), Door::kNew, 0, 1);
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();

    std::set<uint32_t> distinct;
    for (int t = 0; t < kThreads; ++t) {
      EXPECT_EQ(shared[t], shared[0]) << "equal stacks have one number";
      for (uint64_t i = 0; i < kOwn; ++i) {
        ASSERT_NE(own[t][i], 0u);
        distinct.insert(own[t][i]);
        ASSERT_EQ(SitesAt(g_ledger.At<Stack>(TableId::kStacks, own[t][i])->node),
                  SitesOf(1000000 * (t + 1) + i * (kShared / kOwn)));
      }
    }
    for (uint64_t k = 0; k < kShared; ++k) {
      ASSERT_NE(shared[0][k], 0u);
      distinct.insert(shared[0][k]);
      const Stack* record = g_ledger.At<Stack>(TableId::kStacks, shared[0][k]);
      ASSERT_EQ(SitesAt(record->node), SitesOf(k));
      ASSERT_EQ(record->shared.allocations.load(), uint64_t{kThreads});
      ASSERT_EQ(record->shared.allocated_bytes.load(), kThreads * k);
    }
    EXPECT_EQ(distinct.size(), kShared + kThreads * kOwn) << "different stacks have different numbers";
    EXPECT_EQ(g_ledger.Count(TableId::kStacks), distinct.size() + 1) << "and no record is unused";
    // Every node is the only one with its parent and site.
    std::set<std::pair<uint32_t, uint64_t>> nodes;
    for (uint32_t i = 1; i < g_ledger.Count(TableId::kNodes); ++i) {
      const Node* node = g_ledger.At<Node>(TableId::kNodes, i);
      ASSERT_LT(node->parent, i);
      nodes.insert({node->parent, node->site});
    }
    EXPECT_EQ(nodes.size(), g_ledger.Count(TableId::kNodes) - 1);
  });
}

TEST(StackTable, AFullLedgerGivesTheUnknownStack) {
  InFreshProcess([] {
    ScratchDirectory directory;
    const rlimit limit = {64 * 1024, 64 * 1024};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ASSERT_TRUE(g_ledger.Create(directory.path().c_str(), 1));
    std::map<uint64_t, uint32_t> known;
    uint64_t lost = 0;
    for (uint64_t k = 0; k < 20000; ++k) {
      const uint32_t node = Intern(SitesOf(k));
      if (node == 0) {
        ++lost;
      } else {
        known[k] = node;
      }
    }
    EXPECT_GT(lost, 0u);
    EXPECT_GT(known.size(), 100u);
    EXPECT_NE(g_ledger.header().degraded.load() & kLedgerFull, 0u);
    for (const auto& [k, node] : known) {
      ASSERT_EQ(Intern(SitesOf(k)), node);
      ASSERT_EQ(SitesAt(node), SitesOf(k));
    }
    uint32_t made = 0;
    for (const auto& [k, node] : known) made += g_stacks.InternStack(node, Door::kMalloc, 0, 1) != 0 ? 1 : 0;
    EXPECT_LT(made, known.size());
  });
}

}  // namespace
}  // namespace mallocspy::ledger

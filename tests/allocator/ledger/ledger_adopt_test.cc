// Ledger::Adopt() in real forks.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "allocator/ledger/ledger.h"
#include "allocator/ledger/stack_table.h"
#include "allocator/ledger/thread_counters.h"
#include "tests/allocator/fresh_process.h"
#include "tests/allocator/ledger/site_stacks.h"
#include "tests/scratch_directory.h"
#include "tools/reader/reader.h"

namespace mallocspy::ledger {
namespace {

uint32_t InternNumber(uint64_t number) {
  const std::vector<uint64_t> sites = SitesOf(number);
  const uint32_t node = g_stacks.InternNode(sites.data(), static_cast<uint32_t>(sites.size()));
  return g_stacks.InternStack(node, Door::kMalloc, 0, static_cast<uint32_t>(sites.size()));
}

std::vector<uint64_t> SitesOfStack(uint32_t stack) {
  return SitesAt(g_ledger.At<Stack>(TableId::kStacks, stack)->node);
}

// Every reference leads to something.
void ExpectSound() {
  const uint32_t nodes = g_ledger.Count(TableId::kNodes);
  const uint32_t stacks = g_ledger.Count(TableId::kStacks);
  const uint32_t strings = g_ledger.Count(TableId::kStrings);
  const uint32_t modules = g_ledger.Count(TableId::kModules);
  for (uint32_t i = 1; i < nodes; ++i) {
    const Node* node = g_ledger.At<Node>(TableId::kNodes, i);
    ASSERT_LT(node->parent, i);
    ASSERT_LT(node->stack, stacks);
    ASSERT_TRUE(node->site >> kSiteModuleShift < std::max(modules, 1u)) << "node " << i;
  }
  for (uint32_t i = 1; i < stacks; ++i) {
    const Stack* stack = g_ledger.At<Stack>(TableId::kStacks, i);
    ASSERT_LT(stack->node, nodes) << "stack " << i;
    ASSERT_LT(stack->next, i);
  }
  for (uint32_t i = 1; i < modules; ++i) {
    const StringRef path = g_ledger.At<Module>(TableId::kModules, i)->path;
    ASSERT_LE(path.offset + path.length, strings) << "module " << i;
  }
}

void ExpectCountersAtZero() {
  for (uint32_t i = 0; i < g_ledger.Count(TableId::kStacks); ++i) {
    const Stack* stack = g_ledger.At<Stack>(TableId::kStacks, i);
    ASSERT_EQ(stack->shared.allocations.load(), 0u);
    ASSERT_EQ(stack->shared.allocated_bytes.load(), 0u);
    ASSERT_EQ(stack->shared.frees.load(), 0u);
    ASSERT_EQ(stack->shared.freed_bytes.load(), 0u);
  }
}

uint32_t Pid() { return static_cast<uint32_t>(getpid()); }

std::string FileOf(const std::string& directory, uint32_t pid) { return directory + "/" + std::to_string(pid) + ".0.mspy"; }

void AdoptKnows(bool shared) {
  ScratchDirectory directory;
  const std::string path = directory.path();
  ASSERT_TRUE(g_ledger.Create(shared ? path.c_str() : nullptr, Pid()));
  std::vector<uint32_t> stacks;
  for (uint64_t k = 0; k < 3000; ++k) {
    stacks.push_back(InternNumber(k));
    CountAllocationShared(stacks.back(), k);
  }
  Header& parent = g_ledger.header();
  parent.foreign_frees = 3;
  parent.state = State::kEnding;
  parent.end = End::kExec;
  parent.degraded = kNotInterposed | kThreadsRunning;
  {
    FutexLockHolder hold(g_ledger.lock());
    parent.exe = g_ledger.AddString("/bin/parent", 11);
    parent.exec_path = g_ledger.AddString("/bin/next", 9);
    const uint32_t error = g_ledger.Reserve(TableId::kErrors);
    g_ledger.Publish(TableId::kErrors, error + 1);
  }
  const uint32_t parent_pid = Pid();
  const pid_t child = ForkWith([&] {
    ASSERT_TRUE(g_ledger.Adopt(shared ? path.c_str() : nullptr, Pid()));
    EXPECT_EQ(g_ledger.memory().shared(), shared);
    ExpectSound();
    ExpectCountersAtZero();
    const Header& header = g_ledger.header();
    EXPECT_EQ(header.pid, Pid());
    EXPECT_EQ(header.origin, Origin::kFork);
    EXPECT_EQ(header.state.load(), State::kRunning);
    EXPECT_EQ(header.end.load(), End::kNone);
    EXPECT_EQ(header.exec_path.length, 0u);
    EXPECT_EQ(header.foreign_frees.load(), 0u);
    EXPECT_EQ(header.live_bytes.load(), 0);
    EXPECT_EQ(header.peak_bytes.load(), 0);
    EXPECT_EQ(header.degraded.load(), uint64_t{kNotInterposed});
    EXPECT_EQ(std::string(g_ledger.At<char>(TableId::kStrings, header.exe.offset), header.exe.length), "/bin/parent");
    EXPECT_LE(g_ledger.Count(TableId::kErrors), 1u);
    for (uint64_t k = 0; k < stacks.size(); ++k) {
      ASSERT_EQ(SitesOfStack(stacks[k]), SitesOf(k));
      ASSERT_EQ(InternNumber(k), stacks[k]) << "what the parent knew is not stored again";
    }
    for (uint64_t k = 3000; k < 6000; ++k) ASSERT_EQ(SitesOfStack(InternNumber(k)), SitesOf(k));
    CountAllocationShared(stacks[5], 55);
  });
  ASSERT_TRUE(EndsWell(child));
  EXPECT_EQ(parent.pid, parent_pid);
  EXPECT_EQ(parent.foreign_frees.load(), 3u);
  EXPECT_EQ(g_ledger.Count(TableId::kErrors), 2u);
  const Stack* stack = g_ledger.At<Stack>(TableId::kStacks, stacks[5]);
  EXPECT_EQ(stack->shared.allocations.load(), 1u);
  EXPECT_EQ(stack->shared.allocated_bytes.load(), 5u);
  if (!shared) return;
  const auto snapshot = ReadSnapshotFile(FileOf(path, static_cast<uint32_t>(child)));
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ(snapshot->origin, Origin::kFork);
  EXPECT_EQ(snapshot->damaged_records, 0u);
  ASSERT_GT(snapshot->stacks.size(), 6000u);
  EXPECT_EQ(snapshot->stacks[stacks[5]].allocated_bytes, 55u);
}

TEST(LedgerAdopt, AChildTakesASharedOneOver) {
  InFreshProcess([] { AdoptKnows(true); });
}

TEST(LedgerAdopt, AChildTakesAPrivateOneOver) {
  InFreshProcess([] { AdoptKnows(false); });
}

TEST(LedgerAdopt, WithoutADirectoryAChildOfASharedOneIsPrivate) {
  InFreshProcess([] {
    ScratchDirectory directory;
    const std::string path = directory.path();
    ASSERT_TRUE(g_ledger.Create(path.c_str(), Pid()));
    const uint32_t stack = InternNumber(5);
    const pid_t child = ForkWith([&] {
      EXPECT_TRUE(g_ledger.Adopt(nullptr, Pid()));
      EXPECT_FALSE(g_ledger.memory().shared());
      EXPECT_EQ(g_ledger.header().degraded.load(), 0u);
      EXPECT_EQ(SitesOfStack(stack), SitesOf(5));
      CountAllocationShared(stack, 1);
    });
    ASSERT_TRUE(EndsWell(child));
    EXPECT_EQ(g_ledger.At<Stack>(TableId::kStacks, stack)->shared.allocations.load(), 0u);
    EXPECT_FALSE(std::filesystem::exists(FileOf(path, static_cast<uint32_t>(child))));
  });
}

TEST(LedgerAdopt, WhereNoFileCanBeMadeItIsPrivateAndSaysSo) {
  for (const bool parent_shared : {true, false}) {
    InFreshProcess([parent_shared] {
      ScratchDirectory directory;
      const std::string path = directory.path();
      const std::string missing = directory.File("missing");
      ASSERT_TRUE(g_ledger.Create(parent_shared ? path.c_str() : missing.c_str(), Pid()));
      EXPECT_EQ(g_ledger.memory().shared(), parent_shared);
      const uint32_t stack = InternNumber(5);
      EXPECT_TRUE(EndsWell(ForkWith([&] {
        EXPECT_FALSE(g_ledger.Adopt(missing.c_str(), Pid()));
        EXPECT_FALSE(g_ledger.memory().shared());
        EXPECT_EQ(g_ledger.header().degraded.load(), uint64_t{kLedgerPrivate});
        EXPECT_EQ(g_ledger.header().pid, Pid());
        EXPECT_EQ(SitesOfStack(stack), SitesOf(5));
      })));
    });
  }
}

TEST(LedgerAdopt, AChildsChildTakesTheChildsOver) {
  InFreshProcess([] {
    ScratchDirectory directory;
    const std::string path = directory.path();
    ASSERT_TRUE(g_ledger.Create(path.c_str(), Pid()));
    const uint32_t first = InternNumber(1);
    EXPECT_TRUE(EndsWell(ForkWith([&] {
      ASSERT_TRUE(g_ledger.Adopt(path.c_str(), Pid()));
      const uint32_t second = InternNumber(2);
      EXPECT_TRUE(EndsWell(ForkWith([&] {
        ASSERT_TRUE(g_ledger.Adopt(path.c_str(), Pid()));
        EXPECT_EQ(InternNumber(1), first);
        EXPECT_EQ(InternNumber(2), second);
        EXPECT_EQ(SitesOfStack(InternNumber(3)), SitesOf(3));
      })));
    })));
  });
}

// What the parent adds between the fork and the child's copy: whole new extents, and in old extents records that refer to what is
// in the new ones.
TEST(LedgerAdopt, WhatTheParentAddsMeanwhileIsCutCleanly) {
  InFreshProcess([] {
    ScratchDirectory directory;
    const std::string path = directory.path();
    ASSERT_TRUE(g_ledger.Create(path.c_str(), Pid()));
    std::vector<uint32_t> known;
    for (uint64_t k = 0; k < 20; ++k) known.push_back(InternNumber(k));
    {
      FutexLockHolder hold(g_ledger.lock());
      const uint32_t module = g_ledger.Reserve(TableId::kModules);
      g_ledger.At<Module>(TableId::kModules, module)->path = g_ledger.AddString("/lib/a", 6);
      g_ledger.Publish(TableId::kModules, module + 1);
    }
    int go[2];
    ASSERT_EQ(pipe(go), 0);
    const pid_t child = ForkWith([&] {
      char byte;
      ASSERT_EQ(read(go[0], &byte, 1), 1);
      ASSERT_TRUE(g_ledger.Adopt(path.c_str(), Pid()));
      ExpectSound();
      ExpectCountersAtZero();
      for (uint64_t k = 0; k < known.size(); ++k) ASSERT_EQ(SitesOfStack(known[k]), SitesOf(k));
      for (uint64_t k = 50000; k < 51000; ++k) ASSERT_EQ(SitesOfStack(InternNumber(k)), SitesOf(k));
      ExpectSound();
    });
    // Nodes far beyond the first extent, and then a few stacks that still fit into the first extent of theirs.
    std::vector<uint32_t> nodes;
    for (uint64_t k = 1000; k < 3000; ++k) {
      const std::vector<uint64_t> sites = SitesOf(k);
      nodes.push_back(g_stacks.InternNode(sites.data(), static_cast<uint32_t>(sites.size())));
    }
    for (int i = 0; i < 20; ++i) g_stacks.InternStack(nodes[nodes.size() - 1 - static_cast<size_t>(i)], Door::kNew, 0, 1);
    {
      FutexLockHolder hold(g_ledger.lock());
      const std::string far(20000, 'x');
      const uint32_t module = g_ledger.Reserve(TableId::kModules);
      g_ledger.At<Module>(TableId::kModules, module)->path = g_ledger.AddString(far.data(), far.size());
      g_ledger.Publish(TableId::kModules, module + 1);
    }
    // A frame of a module that the child cannot know, at the end of a chain that it can.
    ASSERT_EQ(write(go[1], "x", 1), 1);
    ASSERT_TRUE(EndsWell(child));
    const auto snapshot = ReadSnapshotFile(FileOf(path, static_cast<uint32_t>(child)));
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
    EXPECT_EQ(snapshot->damaged_records, 0u);
  });
}

// Not with a sanitizer's malloc: another thread may hold its lock at the fork, and the child has nobody to let go of it.
TEST(LedgerAdopt, WhileTheParentGoesOnWriting) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    ScratchDirectory directory;
    const std::string path = directory.path();
    ASSERT_TRUE(g_ledger.Create(path.c_str(), Pid()));
    constexpr uint64_t kKnown = 500;
    std::vector<uint32_t> known;
    for (uint64_t k = 0; k < kKnown; ++k) known.push_back(InternNumber(k));
    std::atomic<bool> done{false};
    std::vector<std::thread> writers;
    for (uint64_t t = 1; t <= 3; ++t) {
      writers.emplace_back([&, t] {
        for (uint64_t k = 0; !done.load() && k < 200000; ++k) {
          const uint32_t stack = InternNumber(t * 10000000 + k);
          CountAllocationShared(stack, 1);
          CountFreeShared(stack, 1);
          FutexLockHolder hold(g_ledger.lock());
          if (k % 100 == 0) g_ledger.AddString("some text that is added", 23);
        }
      });
    }
    std::vector<pid_t> children;
    for (int i = 0; i < 20; ++i) {
      children.push_back(ForkWith([&] {
        ASSERT_TRUE(g_ledger.Adopt(path.c_str(), Pid()));
        ExpectSound();
        ExpectCountersAtZero();
        for (uint64_t k = 0; k < kKnown; ++k) {
          ASSERT_EQ(SitesOfStack(known[k]), SitesOf(k));
          ASSERT_EQ(InternNumber(k), known[k]);
        }
        std::set<uint32_t> own;
        for (uint64_t k = 0; k < 2000; ++k) {
          const uint32_t stack = InternNumber(90000000 + k);
          ASSERT_EQ(SitesOfStack(stack), SitesOf(90000000 + k));
          own.insert(stack);
        }
        EXPECT_EQ(own.size(), 2000u);
        ExpectSound();
      }));
      ASSERT_GT(children.back(), 0);
      usleep(2000);
    }
    for (const pid_t child : children) EXPECT_TRUE(EndsWell(child));
    done = true;
    for (std::thread& writer : writers) writer.join();
    for (const pid_t child : children) {
      const auto snapshot = ReadSnapshotFile(FileOf(path, static_cast<uint32_t>(child)));
      ASSERT_TRUE(snapshot.ok()) << snapshot.status();
      EXPECT_EQ(snapshot->damaged_records, 0u);
    }
  });
}

TEST(LedgerDetach, WhatIsWrittenAfterwardsStaysInTheCopy) {
  InFreshProcess([] {
    const ScratchDirectory directory;
    const std::string path = directory.path();
    ASSERT_TRUE(g_ledger.Create(path.c_str(), Pid()));
    const uint32_t stack = InternNumber(7);
    CountAllocationShared(stack, 100);
    const uint32_t stacks = g_ledger.Count(TableId::kStacks);
    const pid_t child = ForkWith([stack, stacks] {
      ASSERT_TRUE(g_ledger.Detach());
      EXPECT_FALSE(g_ledger.memory().shared());
      ExpectSound();
      EXPECT_EQ(g_ledger.Count(TableId::kStacks), stacks);
      EXPECT_EQ(SitesOfStack(stack), SitesOf(7));
      EXPECT_EQ(g_ledger.At<Stack>(TableId::kStacks, stack)->shared.allocated_bytes.load(), 100u);
      CountAllocationShared(stack, 11);
      for (uint64_t k = 0; k < 3000; ++k) ASSERT_EQ(SitesOfStack(InternNumber(k)), SitesOf(k));
      g_ledger.header().state = State::kEnded;
    });
    ASSERT_TRUE(EndsWell(child));
    EXPECT_EQ(g_ledger.Count(TableId::kStacks), stacks);
    EXPECT_EQ(g_ledger.At<Stack>(TableId::kStacks, stack)->shared.allocated_bytes.load(), 100u);
    EXPECT_EQ(g_ledger.header().state.load(), State::kRunning);
  });
}

}  // namespace
}  // namespace mallocspy::ledger

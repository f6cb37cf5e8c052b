#include "allocator/stack_recorder.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

#include "allocator/capture/call_site_table.h"
#include "allocator/capture/unwinder.h"
#include "allocator/ledger/module_table.h"
#include "allocator/process.h"
#include "allocator/thread_state.h"
#include "spy/spy_chain.h"
#include "tests/allocator/fresh_process.h"

namespace mallocspy {
namespace {

using ledger::g_ledger;
using ledger::TableId;

const ledger::Stack& StackAt(uint32_t stack) { return *g_ledger.At<ledger::Stack>(TableId::kStacks, stack); }

// The addresses that the sites of a stack mean, innermost first.
std::vector<uintptr_t> AddressesOf(uint32_t node) {
  std::vector<uintptr_t> addresses;
  for (; node != 0; node = g_ledger.At<ledger::Node>(TableId::kNodes, node)->parent) {
    const uint64_t site = g_ledger.At<ledger::Node>(TableId::kNodes, node)->site;
    const uint32_t module = static_cast<uint32_t>(site >> ledger::kSiteModuleShift);
    const uint64_t bias = module == 0 ? 0 : g_ledger.At<ledger::Module>(TableId::kModules, module)->bias;
    addresses.push_back(bias + (site & ledger::kSiteOffsetMask));
  }
  return addresses;
}

__attribute__((noinline)) uint32_t RecordHere(Door door = Door::kMalloc) {
  const Event event;
  return RecordStack(event.thread(), door);
}

__attribute__((noinline)) uint32_t RecordDeep(int depth) {
  const uint32_t stack = depth == 0 ? RecordHere() : RecordDeep(depth - 1);
  asm volatile("" ::"r"(stack) : "memory");
  return stack;
}

TEST(StackRecorder, OnePlaceIsOneStack) {
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    std::set<uint32_t> stacks;
    for (int i = 0; i < 100; ++i) {
      stacks.insert(RecordHere());
      asm volatile("" : "+r"(i));
    }
    EXPECT_EQ(stacks.size(), 1u);
    EXPECT_EQ(StackAt(*stacks.begin()).flags, 0);
    EXPECT_EQ(StackAt(*stacks.begin()).depth, AddressesOf(StackAt(*stacks.begin()).node).size());
    EXPECT_EQ(g_ledger.header().truncated.load(), 0u);
    EXPECT_NE(RecordHere(), *stacks.begin()) << "another place";
    EXPECT_NE(RecordHere(Door::kNew), RecordHere(Door::kMalloc)) << "another door";
  });
}

TEST(StackRecorder, SitesLeadBackToTheAddresses) {
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    const std::vector<uintptr_t> shallow = AddressesOf(StackAt(RecordDeep(5)).node);
    const std::vector<uintptr_t> deep = AddressesOf(StackAt(RecordDeep(25)).node);
    EXPECT_EQ(deep.size(), shallow.size() + 20);
    // Every frame is in the code of something that is loaded.
    for (const uintptr_t address : deep) {
      Dl_info info;
      EXPECT_NE(dladdr(reinterpret_cast<void*>(address), &info), 0) << std::hex << address;
    }
    EXPECT_EQ(deep.back(), shallow.back());
  });
}

TEST(StackRecorder, DeepStacksAreCutAndCounted) {
  InFreshProcess([] {
    SetOptions("stack_depth=10");
    ASSERT_TRUE(LoadUnwinder());
    const uint32_t stack = RecordDeep(50);
    EXPECT_EQ(StackAt(stack).depth, 10);
    EXPECT_EQ(StackAt(stack).flags, ledger::kStackTruncated);
    EXPECT_EQ(AddressesOf(StackAt(stack).node).size(), 10u);
    EXPECT_EQ(g_ledger.header().truncated.load(), 1u);
  });
}

TEST(StackRecorder, WhereUnwindingIsNotPossibleTheCallerIsRecorded) {
  InFreshProcess([] {
    const uintptr_t caller = reinterpret_cast<uintptr_t>(&RecordDeep) + 5;
    const DoorFrame call = {0, reinterpret_cast<void*>(caller)};
    ASSERT_TRUE(EnsureStarted());
    const Event event;
    event.thread()->frame = &call;
    const uint32_t stack = RecordStack(event.thread(), Door::kMalloc);
    EXPECT_EQ(AddressesOf(StackAt(stack).node), std::vector<uintptr_t>{caller});
    EXPECT_EQ(StackAt(stack).flags, ledger::kStackTruncated);
  });
}

TEST(StackRecorder, APreparedStackIsTheOneRecorded) {
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    uint32_t before = 0;
    {
      const StackPreparation prepared(nullptr, false);
      const uint32_t first = RecordHere();
      EXPECT_EQ(RecordDeep(10), first) << "wherever it is recorded";
      EXPECT_EQ(g_ledger.header().truncated.load(), 0u);
      before = StackAt(first).node;
      {
        const uintptr_t caller = reinterpret_cast<uintptr_t>(&RecordHere) + 5;
        const DoorFrame call = {0, reinterpret_cast<void*>(caller)};
        const StackPreparation inner(&call, true);
        const uint32_t only_caller = RecordHere();
        EXPECT_EQ(AddressesOf(StackAt(only_caller).node), std::vector<uintptr_t>{caller});
        EXPECT_EQ(StackAt(only_caller).flags, ledger::kStackTruncated);
      }
      EXPECT_EQ(StackAt(RecordHere()).node, before);
    }
    EXPECT_NE(StackAt(RecordHere()).node, before);
  });
}

TEST(StackRecorder, ErrorsHaveAPlaceWithoutACounter) {
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    ASSERT_TRUE(EnsureStarted());
    const Event event;
    const uint32_t stacks = g_ledger.Count(TableId::kStacks);
    const uint32_t node = RecordPlace(event.thread());
    EXPECT_NE(node, 0u);
    EXPECT_GT(AddressesOf(node).size(), 3u);
    EXPECT_EQ(g_ledger.Count(TableId::kStacks), stacks);
  });
}

int RecordInside(void* stack) {
  *static_cast<uint32_t*>(stack) = RecordHere();
  return 0;
}

// The cache of sites does not outlive the code that they are in.
TEST(StackRecorder, AnotherLibraryAtTheSamePlaceIsAnotherStack) {
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    std::vector<uint32_t> stacks;
    for (const char* path : {CODE_LIBRARY_A, CODE_LIBRARY_B, CODE_LIBRARY_A}) {
      void* library = dlopen(path, RTLD_NOW);
      const auto call = reinterpret_cast<int (*)(int (*)(void*), void*)>(dlsym(library, "CodeLibraryCall"));
      uint32_t stack = 0;
      call(RecordInside, &stack);
      stacks.push_back(stack);
      bool found = false;
      for (uint32_t node = StackAt(stack).node; node != 0; node = g_ledger.At<ledger::Node>(TableId::kNodes, node)->parent) {
        const uint64_t site = g_ledger.At<ledger::Node>(TableId::kNodes, node)->site;
        const uint32_t module = static_cast<uint32_t>(site >> ledger::kSiteModuleShift);
        const ledger::StringRef name = g_ledger.At<ledger::Module>(TableId::kModules, module)->path;
        found = found || std::string(g_ledger.At<char>(TableId::kStrings, name.offset), name.length) == path;
      }
      EXPECT_TRUE(found) << path;
      // What the door of dlclose does.
      g_call_sites.BeginUnload();
      dlclose(library);
      ledger::g_modules.Refresh();
      g_call_sites.EndUnload();
    }
    EXPECT_EQ(std::set<uint32_t>(stacks.begin(), stacks.end()).size(), 3u);
  });
}

TEST(StackRecorder, ThreadsAgree) {
  MALLOCSPY_SKIP_UNDER_TSAN();
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    ASSERT_TRUE(EnsureStarted());
    std::vector<uint32_t> stacks(8);
    std::vector<std::thread> threads;
    for (uint32_t& stack : stacks) {
      threads.emplace_back([&stack] {
        for (int i = 0; i < 1000; ++i) {
          const uint32_t recorded = RecordDeep(20);
          if (stack != 0 && stack != recorded) ADD_FAILURE() << "one place, two stacks";
          stack = recorded;
          asm volatile("" : "+r"(i));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(std::set<uint32_t>(stacks.begin(), stacks.end()).size(), 1u);
  });
}

}  // namespace
}  // namespace mallocspy

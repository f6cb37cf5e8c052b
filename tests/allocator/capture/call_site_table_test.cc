#include "allocator/capture/call_site_table.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "allocator/ledger/module_table.h"
#include "allocator/process.h"
#include "tests/allocator/fresh_process.h"

namespace mallocspy {
namespace {

CallSite SiteNumber(uint64_t number) {
  return {{FrameRule::kFromSp, FrameRule::kBpAtCfa, static_cast<int16_t>(number % 1000), static_cast<int32_t>(number * 8)}, number};
}

void ExpectNumber(const CallSiteTable& table, uint64_t number) {
  CallSite found = {};
  ASSERT_TRUE(table.Find(0x400000 + number * 5, &found)) << number;
  EXPECT_EQ(found.site, number);
  EXPECT_EQ(found.rule.cfa_offset, static_cast<int32_t>(number * 8));
  EXPECT_EQ(found.rule.bp_offset, static_cast<int16_t>(number % 1000));
}

TEST(CallSiteTable, FindsWhatWasAdded) {
  static constinit CallSiteTable table;
  CallSite found = {};
  EXPECT_FALSE(table.Find(0x400000, &found));
  for (uint64_t number = 0; number < 50000; ++number) {
    table.Add(0x400000 + number * 5, SiteNumber(number));
    ExpectNumber(table, number / 2);
  }
  for (uint64_t number = 0; number < 50000; ++number) ExpectNumber(table, number);
  EXPECT_FALSE(table.Find(0x400001, &found));
  table.Add(0x400000, SiteNumber(7));
  ASSERT_TRUE(table.Find(0x400000, &found));
  EXPECT_EQ(found.site, 7u) << "the later one";
}

TEST(CallSiteTable, ReadersDoNotWait) {
  static constinit CallSiteTable table;
  std::atomic<uint64_t> added{0};
  std::vector<std::thread> readers;
  for (int t = 0; t < 3; ++t) {
    readers.emplace_back([&added] {
      for (uint64_t last = 0; last < 20000;) {
        last = added.load(std::memory_order_acquire);
        if (last != 0) ExpectNumber(table, last - 1);
        if (last > 10) ExpectNumber(table, last / 2);
      }
    });
  }
  for (uint64_t number = 0; number < 20000; ++number) {
    table.Add(0x400000 + number * 5, SiteNumber(number));
    added.store(number + 1, std::memory_order_release);
  }
  for (std::thread& reader : readers) reader.join();
}

TEST(CallSiteTable, UnloadedCodeIsForgotten) {
  InFreshProcess([] {
    ASSERT_TRUE(EnsureStarted());
    void* library = dlopen(CODE_LIBRARY_A, RTLD_NOW);
    ASSERT_NE(library, nullptr);
    const uintptr_t there = reinterpret_cast<uintptr_t>(dlsym(library, "CodeLibraryCall")) + 5;
    const uintptr_t here = reinterpret_cast<uintptr_t>(&SiteNumber) + 5;
    for (const uintptr_t address : {there, here}) {
      g_call_sites.Add(address, {SiteNumber(1).rule, ledger::g_modules.SiteOf(address)});
    }
    const uint64_t before = g_call_sites.epoch();
    EXPECT_TRUE(CallSiteTable::IsStable(before));
    g_call_sites.BeginUnload();
    EXPECT_FALSE(CallSiteTable::IsStable(g_call_sites.epoch()));
    g_call_sites.BeginUnload();  // another thread's
    dlclose(library);
    ledger::g_modules.Refresh();
    g_call_sites.EndUnload();
    EXPECT_FALSE(CallSiteTable::IsStable(g_call_sites.epoch()));
    g_call_sites.EndUnload();
    EXPECT_TRUE(CallSiteTable::IsStable(g_call_sites.epoch()));
    EXPECT_NE(g_call_sites.epoch(), before);
    CallSite found = {};
    EXPECT_FALSE(g_call_sites.Find(there, &found));
    EXPECT_TRUE(g_call_sites.Find(here, &found));
    const uint64_t after = g_call_sites.epoch();
    g_call_sites.BeforeLoad();
    EXPECT_TRUE(CallSiteTable::IsStable(g_call_sites.epoch()));
    EXPECT_NE(g_call_sites.epoch(), after);
  });
}

// The thread that unloads is not there to end it.
TEST(CallSiteTable, ForkDuringAnUnload) {
  InFreshProcess([] {
    ASSERT_TRUE(EnsureStarted());
    const uintptr_t here = reinterpret_cast<uintptr_t>(&SiteNumber) + 5;
    g_call_sites.Add(here, {SiteNumber(1).rule, 0});
    CallSite found = {};
    EXPECT_TRUE(EndsWell(ForkWith([&] {
      g_call_sites.AdoptAfterFork();
      EXPECT_TRUE(g_call_sites.Find(here, &found)) << "nothing was being unloaded";
    })));
    const uint64_t before = g_call_sites.epoch();
    g_call_sites.BeginUnload();
    EXPECT_TRUE(EndsWell(ForkWith([&] {
      g_call_sites.AdoptAfterFork();
      EXPECT_TRUE(CallSiteTable::IsStable(g_call_sites.epoch()));
      EXPECT_NE(g_call_sites.epoch(), before);
      EXPECT_FALSE(g_call_sites.Find(here, &found));
      g_call_sites.EndUnload();  // it was this thread's
      EXPECT_TRUE(CallSiteTable::IsStable(g_call_sites.epoch()));
    })));
    g_call_sites.EndUnload();
    EXPECT_TRUE(CallSiteTable::IsStable(g_call_sites.epoch()));
  });
}

}  // namespace
}  // namespace mallocspy

#include "allocator/ledger/error_table.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/allocator/fresh_process.h"

namespace mallocspy::ledger {
namespace {

Error* ErrorAt(uint32_t index) { return g_ledger.At<Error>(TableId::kErrors, index); }

ErrorReport Sample() {
  ErrorReport report{.kind = ErrorKind::kMismatchedFree};
  report.block_door = Door::kNew;
  report.used_door = Door::kMalloc;
  report.address = 0x1000;
  report.size = 27;
  report.value = 5;
  report.where = 11;
  report.allocated = 12;
  report.freed = 13;
  report.tid = 14;
  return report;
}

TEST(ErrorTable, KeepsWhatWasMet) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    AddError(Sample());
    ASSERT_EQ(g_ledger.Count(TableId::kErrors), 2u);
    const Error* error = ErrorAt(1);
    EXPECT_EQ(error->kind, static_cast<uint32_t>(ErrorKind::kMismatchedFree));
    EXPECT_EQ(error->block_door, static_cast<uint8_t>(Door::kNew));
    EXPECT_EQ(error->used_door, static_cast<uint8_t>(Door::kMalloc));
    EXPECT_EQ(error->address, 0x1000u);
    EXPECT_EQ(error->size, 27u);
    EXPECT_EQ(error->value, 5u);
    EXPECT_EQ(error->where, 11u);
    EXPECT_EQ(error->allocated, 12u);
    EXPECT_EQ(error->freed, 13u);
    EXPECT_EQ(error->tid, 14u);
    EXPECT_EQ(error->detail.length, 0u);
    EXPECT_EQ(error->count.load(), 1u);
  });
}

TEST(ErrorTable, TheSameErrorAtTheSamePlaceIsCounted) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    ErrorReport report = Sample();
    for (int i = 0; i < 10; ++i) {
      // Another block, another thread: the first one stays as the example.
      report.address += 64;
      report.size += 1;
      report.tid += 1;
      AddError(report);
    }
    ASSERT_EQ(g_ledger.Count(TableId::kErrors), 2u);
    EXPECT_EQ(ErrorAt(1)->count.load(), 10u);
    EXPECT_EQ(ErrorAt(1)->address, 0x1040u);
    EXPECT_EQ(ErrorAt(1)->size, 28u);
  });
}

TEST(ErrorTable, AnyOtherPlaceDoorOrKindIsAnError) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    std::vector<ErrorReport> reports(8, Sample());
    reports[1].kind = ErrorKind::kDoubleFree;
    reports[2].block_door = Door::kNewArray;
    reports[3].used_door = Door::kTask;
    reports[4].where = 99;
    reports[5].allocated = 99;
    reports[6].freed = 99;
    reports[7].detail = "x";
    for (int round = 0; round < 3; ++round) {
      for (const ErrorReport& report : reports) AddError(report);
    }
    ASSERT_EQ(g_ledger.Count(TableId::kErrors), reports.size() + 1);
    for (uint32_t i = 1; i <= reports.size(); ++i) EXPECT_EQ(ErrorAt(i)->count.load(), 3u) << i;
  });
}

TEST(ErrorTable, DetailsAreComparedWhole) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    ErrorReport report{.kind = ErrorKind::kSpyContract};
    for (const char* detail : {"PreAlloc returned fewer bytes", "PreAlloc", "PreAlloc returned fewer bytes", "PreFree"}) {
      report.detail = detail;
      AddError(report);
    }
    ASSERT_EQ(g_ledger.Count(TableId::kErrors), 4u);
    const StringRef text = ErrorAt(1)->detail;
    EXPECT_EQ(std::string(g_ledger.At<char>(TableId::kStrings, text.offset), text.length), "PreAlloc returned fewer bytes");
    EXPECT_EQ(ErrorAt(1)->count.load(), 2u);
  });
}

TEST(ErrorTable, TooManyAreCountedAndSaid) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    constexpr uint32_t kKept = 4096;
    ErrorReport report = Sample();
    for (report.where = 1; report.where <= kKept; ++report.where) AddError(report);
    EXPECT_EQ(g_ledger.header().degraded.load(), 0u);
    EXPECT_EQ(g_ledger.header().errors_dropped.load(), 0u);
    for (int i = 0; i < 5; ++i) {
      report.where = kKept + 1 + static_cast<uint32_t>(i);
      AddError(report);
    }
    report.where = 17;  // a known one still counts
    AddError(report);
    EXPECT_EQ(g_ledger.Count(TableId::kErrors), kKept + 1);
    EXPECT_EQ(g_ledger.header().degraded.load(), uint64_t{kTooManyErrors});
    EXPECT_EQ(g_ledger.header().errors_dropped.load(), 5u);
    EXPECT_EQ(ErrorAt(17)->count.load(), 2u);
  });
}

TEST(ErrorTable, ManyThreadsLoseNone) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    constexpr int kThreads = 8;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([t] {
        ErrorReport report = Sample();
        for (uint32_t i = 0; i < 400; ++i) {
          report.where = 1 + (i + static_cast<uint32_t>(t) * 7) % 50;
          AddError(report);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(g_ledger.Count(TableId::kErrors), 51u);
    uint64_t total = 0;
    for (uint32_t i = 1; i <= 50; ++i) total += ErrorAt(i)->count.load();
    EXPECT_EQ(total, 400u * kThreads);
  });
}

TEST(ErrorTable, WhatASweepToldIsKnownUntilTheBlockEnds) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    ErrorReport sweep{.kind = ErrorKind::kHeapOverflow, .address = 4096, .by_sweep = true};
    ErrorReport end{.kind = ErrorKind::kHeapOverflow, .used_door = Door::kMalloc, .address = 4096};
    EXPECT_TRUE(AddError(sweep));
    EXPECT_FALSE(AddError(sweep));
    EXPECT_FALSE(AddError(end)) << "the sweep told of it";
    EXPECT_EQ(g_ledger.Count(TableId::kErrors), 2u);
    EXPECT_EQ(g_ledger.At<Error>(TableId::kErrors, 1)->count, 1u);
    EXPECT_TRUE(AddError(end)) << "another block at the same place";
    EXPECT_FALSE(AddError(sweep));
    EXPECT_EQ(g_ledger.At<Error>(TableId::kErrors, 1)->count, 2u) << "and a third one";
  });
}

}  // namespace
}  // namespace mallocspy::ledger

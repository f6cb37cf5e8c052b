#include "allocator/reference_table.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "allocator/ledger/error_table.h"
#include "allocator/wrapping_allocator.h"
#include "tests/allocator/fresh_process.h"
#include "tests/allocator/recorded_errors.h"

namespace mallocspy {
namespace {

using ledger::g_ledger;
using ledger::TableId;

// "ERROR:NODE+ADDED-RELEASED " for each call of the ledger.
std::string Calls() {
  std::string calls;
  for (uint32_t i = 1; i < g_ledger.Count(TableId::kReferenceCalls); ++i) {
    const auto* call = g_ledger.At<ledger::ReferenceCall>(TableId::kReferenceCalls, i);
    calls += std::to_string(call->error) + ":" + std::to_string(call->node) + "+" + std::to_string(call->added) + "-" +
             std::to_string(call->released) + " ";
  }
  return calls;
}

void Start() { g_heap.Deallocate(g_heap.Allocate(1, {.door = Door::kMalloc}), {.door = Door::kMalloc}); }

constexpr uintptr_t kObject = 0x10000;

TEST(ReferenceTable, WhatIsReleasedIsForgotten) {
  InFreshProcess([] {
    Start();
    EXPECT_FALSE(g_references.in_use());
    g_references.Add(kObject, "A", 1, 5);
    EXPECT_TRUE(g_references.in_use());
    g_references.Add(kObject, "A", 2, 6);
    EXPECT_TRUE(g_references.Release(kObject, "A", 1, 7));
    EXPECT_TRUE(g_references.Release(kObject, "A", 0, 7));
    g_references.ReportAll();
    EXPECT_EQ(0u, RecordedErrors().size());
  });
}

TEST(ReferenceTable, WhatIsLeftIsToldWithItsCalls) {
  InFreshProcess([] {
    Start();
    g_references.Add(kObject, "Thing", 1, 5);
    for (uint32_t count = 2; count <= 4; ++count) g_references.Add(kObject, "Thing", count, 6);
    g_references.Release(kObject, "Thing", 3, 7);
    g_references.ReportAll();
    const std::vector<RecordedError> errors = RecordedErrors();
    ASSERT_EQ(1u, errors.size());
    EXPECT_EQ(ledger::ErrorKind::kUnbalancedReferences, errors[0].kind);
    EXPECT_EQ(kObject, errors[0].address);
    EXPECT_EQ(3u, errors[0].value);
    EXPECT_EQ("Thing", errors[0].detail);
    EXPECT_EQ("1:7+0-1 1:6+3-0 1:5+1-0 ", Calls());
  });
}

TEST(ReferenceTable, ObjectsOfOneClassAndPlaceAreAddedUp) {
  InFreshProcess([] {
    Start();
    for (uintptr_t i = 0; i < 3; ++i) g_references.Add(kObject + 64 * i, "A", 1, 5);
    g_references.Add(kObject + 64 * 9, "B", 1, 5);
    g_references.ReportAll();
    const std::vector<RecordedError> errors = RecordedErrors();
    ASSERT_EQ(2u, errors.size());
    EXPECT_EQ(3u, errors[0].count);
    EXPECT_EQ(1u, errors[1].count);
    EXPECT_EQ("1:5+3-0 2:5+1-0 ", Calls());
  });
}

TEST(ReferenceTable, MoreReleasesThanReferences) {
  InFreshProcess([] {
    Start();
    EXPECT_FALSE(g_references.Release(kObject, "A", UINT32_MAX, 5));
    g_references.Add(kObject, "A", 1, 5);
    EXPECT_TRUE(g_references.Release(kObject, "A", 0, 5));
    EXPECT_FALSE(g_references.Release(kObject, "A", UINT32_MAX, 5));
  });
}

// A class may begin to tell when it has references already.
TEST(ReferenceTable, AnObjectThatIsKnownLate) {
  InFreshProcess([] {
    Start();
    g_references.Add(kObject, "A", 3, 5);
    EXPECT_TRUE(g_references.Release(kObject, "A", 2, 6));
    EXPECT_TRUE(g_references.Release(kObject, "A", 1, 6));
    EXPECT_TRUE(g_references.Release(kObject, "A", 0, 6));
    EXPECT_TRUE(g_references.Release(kObject + 64, "A", 0, 6));
    EXPECT_TRUE(g_references.Release(kObject + 128, "A", 1, 6));
    EXPECT_TRUE(g_references.Release(kObject + 128, "A", 0, 6));
    g_references.ReportAll();
    EXPECT_EQ(0u, RecordedErrors().size());
  });
}

TEST(ReferenceTable, ABlockEndsWithTheObjectsInIt) {
  InFreshProcess([] {
    void* block = g_heap.Allocate(300, {.door = Door::kNew});
    const uintptr_t start = reinterpret_cast<uintptr_t>(block);
    g_references.Add(start + 8, "Inner", 1, 5);
    g_references.Add(start + 296, "Last", 1, 5);
    g_references.Add(start + 304, "Behind", 1, 5);
    g_heap.Deallocate(block, {.door = Door::kNew});
    const std::vector<RecordedError> errors = RecordedErrors();
    ASSERT_EQ(2u, errors.size());
    EXPECT_EQ("Inner", errors[0].detail);
    EXPECT_EQ(300u, errors[0].size);
    EXPECT_EQ(Door::kNew, errors[0].made);
    EXPECT_EQ("Last", errors[1].detail);
    // The place has forgotten them.
    EXPECT_TRUE(g_references.Release(start + 8, "Other", 0, 6));
    EXPECT_EQ(2u, RecordedErrors().size());
  });
}

TEST(ReferenceTable, PlacesOfEndedObjectsAreUsedAgain) {
  InFreshProcess([] {
    Start();
    for (uintptr_t i = 0; i < 3000000; ++i) {
      g_references.Add(kObject + 16 * (i % 5000), "A", 1, static_cast<uint32_t>(i % 100 + 1));
      ASSERT_TRUE(g_references.Release(kObject + 16 * (i % 5000), "A", 0, 3));
    }
    EXPECT_EQ(0u, g_ledger.header().degraded.load() & ledger::kLedgerFull);
    g_references.ReportAll();
    EXPECT_EQ(0u, RecordedErrors().size());
  });
}

TEST(ReferenceTable, ThreadsLoseNothing) {
  InFreshProcess([] {
    constexpr int kRounds = 20000;
    Start();
    g_references.Add(kObject, "A", 1, 1);
    std::vector<std::thread> threads;
    for (uint32_t i = 0; i < 4; ++i) {
      threads.emplace_back([i] {
        for (int round = 0; round < kRounds; ++round) {
          g_references.Add(kObject, "A", 2, 10 + i);
          g_references.Release(kObject, "A", 1, 20 + i);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    g_references.ReportAll();
    ASSERT_EQ(1u, RecordedErrors().size());
    EXPECT_EQ(1u, RecordedErrors()[0].value);
    EXPECT_TRUE(g_references.Release(kObject, "A", 0, 1));
  });
}

}  // namespace
}  // namespace mallocspy

#include "allocator/snapshot/root_regions.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "tests/allocator/fresh_process.h"

namespace mallocspy {
namespace {

using Regions = std::vector<std::pair<uintptr_t, uintptr_t>>;

Regions All() {
  Regions all;
  ForEachRootRegion([](uintptr_t start, uintptr_t end, void* context) { static_cast<Regions*>(context)->emplace_back(start, end); }, &all);
  return all;
}

TEST(RootRegions, AddedAndRemoved) {
  InFreshProcess([] {
    EXPECT_TRUE(AddRootRegion(100, 10));
    EXPECT_TRUE(AddRootRegion(200, 20));
    EXPECT_EQ(All(), (Regions{{100, 110}, {200, 220}}));
    EXPECT_TRUE(RemoveRootRegion(100, 10));
    EXPECT_EQ(All(), (Regions{{200, 220}}));
  });
}

TEST(RootRegions, OnlyWithTheSameValuesAndOnce) {
  InFreshProcess([] {
    EXPECT_FALSE(RemoveRootRegion(100, 10));
    EXPECT_TRUE(AddRootRegion(100, 10));
    EXPECT_TRUE(AddRootRegion(100, 10));
    EXPECT_FALSE(RemoveRootRegion(100, 11));
    EXPECT_TRUE(RemoveRootRegion(100, 10));
    EXPECT_TRUE(RemoveRootRegion(100, 10));
    EXPECT_FALSE(RemoveRootRegion(100, 10));
  });
}

TEST(RootRegions, AsManyAsAreNeeded) {
  InFreshProcess([] {
    for (uintptr_t i = 1; i <= 5000; ++i) ASSERT_TRUE(AddRootRegion(i * 100, 10));
    EXPECT_EQ(All().size(), 5000u);
    EXPECT_TRUE(RemoveRootRegion(100, 10));
    EXPECT_TRUE(RemoveRootRegion(500000, 10));
    EXPECT_EQ(All().size(), 4998u);
  });
}

}  // namespace
}  // namespace mallocspy

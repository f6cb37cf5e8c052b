#include "spy/alias_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace mallocspy {
namespace {

void* At(uint64_t address) { return reinterpret_cast<void*>(address); }

class AliasTableTest : public testing::Test {
 protected:
  ~AliasTableTest() override { table.ReleaseMemory(); }
  void Add(uint64_t block, uint64_t alias, int slot) {
    ASSERT_TRUE(table.Reserve(1));
    table.Add(At(block), At(alias), slot);
  }

  AliasTable table;
};

TEST_F(AliasTableTest, EmptyFindsNothing) {
  EXPECT_EQ(nullptr, table.Find(At(0x1000)));
  EXPECT_EQ(nullptr, table.Find(nullptr));
  EXPECT_EQ(nullptr, table.Find(At(1)));
  EXPECT_EQ(nullptr, table.Outermost(At(0x1000)));
  table.RemoveAll(At(0x1000));
  EXPECT_EQ(0u, table.count());
}

TEST_F(AliasTableTest, AliasesOfABlockFromTheOutsideIn) {
  Add(0x1000, 0x1010, 3);
  Add(0x1000, 0x1030, 1);
  EXPECT_EQ(2u, table.count());
  const AliasTable::Entry* outer = table.Outermost(At(0x1000));
  ASSERT_NE(nullptr, outer);
  EXPECT_EQ(At(0x1030), outer->key);
  EXPECT_EQ(1, outer->slot);
  const AliasTable::Entry* inner = table.Inwards(outer);
  ASSERT_NE(nullptr, inner);
  EXPECT_EQ(At(0x1010), inner->key);
  EXPECT_EQ(At(0x1000), inner->block);
  EXPECT_EQ(nullptr, table.Inwards(inner));
  EXPECT_EQ(AliasTable::kStart, table.Find(At(0x1000))->slot);
  EXPECT_EQ(nullptr, table.Outermost(At(0x1010))) << "an alias is no start";
  table.RemoveOutermost(At(0x1000));
  EXPECT_EQ(At(0x1010), table.Outermost(At(0x1000))->key);
  table.RemoveOutermost(At(0x1000));
  EXPECT_EQ(nullptr, table.Find(At(0x1000)));
  EXPECT_EQ(0u, table.count());
}

TEST_F(AliasTableTest, ReserveFailsWithoutMemoryAndChangesNothing) {
  Add(0x1000, 0x1010, 0);
  EXPECT_FALSE(table.Reserve(size_t{1} << 50));
  EXPECT_EQ(At(0x1000), table.Find(At(0x1010))->block);
}

TEST_F(AliasTableTest, AgreesWithAMapOverManyChanges) {
  std::mt19937 random(7);
  std::map<uint64_t, std::vector<uint64_t>> model;  // block -> aliases, outermost last
  size_t aliases = 0;
  for (int step = 0; step < 200000; ++step) {
    const uint64_t block = (1 + random() % 3000) * 0x100;
    std::vector<uint64_t>& known = model[block];
    if (random() % 2 == 0 && known.size() < 4) {
      const uint64_t alias = block + 16 * (known.size() + 1);
      Add(block, alias, static_cast<int>(known.size()));
      known.push_back(alias);
      ++aliases;
    } else if (random() % 3 == 0) {
      table.RemoveAll(At(block));
      aliases -= known.size();
      known.clear();
    } else if (!known.empty()) {
      table.RemoveOutermost(At(block));
      known.pop_back();
      --aliases;
    }
    ASSERT_EQ(aliases, table.count());
    const AliasTable::Entry* entry = table.Outermost(At(block));
    for (size_t i = known.size(); i-- > 0; entry = table.Inwards(entry)) {
      ASSERT_NE(nullptr, entry);
      ASSERT_EQ(At(known[i]), entry->key);
      ASSERT_EQ(static_cast<int>(i), entry->slot);
    }
    ASSERT_EQ(nullptr, entry);
  }
}

}  // namespace
}  // namespace mallocspy

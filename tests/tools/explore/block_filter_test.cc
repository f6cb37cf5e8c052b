#include "tools/explore/block_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/tools/explore/explorer_fixture.h"

namespace mallocspy {
namespace {

using ::testing::ElementsAre;

using BlockFilterTest = ExplorerTest;

TEST_F(BlockFilterTest, ChoosesBlocks) {
  EXPECT_THAT(Chosen("size>=3000"), ElementsAre(Hex(kLongText), Hex(kLost)));
  EXPECT_THAT(Chosen("size>1K size<2K"), ElementsAre(Hex(kShortText)));
  EXPECT_THAT(Chosen("size >= 1K size <= 1200"), ElementsAre(Hex(kShortText)));
  EXPECT_THAT(Chosen("size=77"), ElementsAre(Hex(kInside)));
  EXPECT_EQ(Chosen("size!=77").size(), 15u);
  EXPECT_EQ(Chosen("door=new[]").size(), 4u);
  EXPECT_EQ(Chosen("door=new,new[]").size(), 10u);
  EXPECT_EQ(Chosen("door!=malloc").size(), 10u);
  EXPECT_EQ(Chosen("function=LoseTrack").size(), 4u);
  EXPECT_EQ(Chosen("function=depot::L*(*)").size(), 10u);
  EXPECT_EQ(Chosen("function=LoseTrack?").size(), 0u) << "with '?' it is the whole name";
  EXPECT_EQ(Chosen("function='OpenSession(char const*)'").size(), 16u);
  EXPECT_EQ(Chosen("function!=LoadEntries").size(), 10u);
  EXPECT_EQ(Chosen("module=libcargo").size(), 3u);
  EXPECT_EQ(Chosen("module!=libcargo.so.?").size(), 13u);
  EXPECT_EQ(Chosen("module=/nowhere/*").size(), 3u);
  EXPECT_THAT(Chosen("class=Entry"), ElementsAre(Hex(kFirstEntry), Hex(kSecondEntry), Hex(kThirdEntry)));
  EXPECT_THAT(Chosen("type=*Session"), ElementsAre(Hex(kSession)));
  EXPECT_EQ(Chosen("type='std::list node'").size(), 3u);
  EXPECT_EQ(Chosen("shape=list-node,string").size(), 5u);
  EXPECT_THAT(Chosen("reach=definite"), ElementsAre(Hex(kLost), Hex(kCycle)));
  EXPECT_THAT(Chosen("reach=possible,indirect"), ElementsAre(Hex(kBelowLost), Hex(kInside), Hex(kCycleBack)));
  EXPECT_EQ(Chosen("reach=unknown").size(), 0u);
  EXPECT_EQ(Chosen("mark>=9").size(), 9u);
  EXPECT_EQ(Chosen("mark=worker").size(), 5u);
  EXPECT_EQ(Chosen("mark<worker").size(), 2u);
  EXPECT_EQ(Chosen("stack=4").size(), 3u);
  EXPECT_EQ(Chosen("thread=4712").size(), 5u);
  EXPECT_THAT(Chosen("address=0x60000..0x70000"), ElementsAre(Hex(kEntries), Hex(kFirstEntry)));
  EXPECT_EQ(Chosen("address!=0x60000..0x70000").size(), 14u);
  EXPECT_THAT(Chosen("address=0x60000"), ElementsAre(Hex(kEntries)));
  EXPECT_EQ(Chosen("address>=0x60000").size(), 15u);
}

TEST(BlockFilter, PatternsAreMatchedWhole) {
  EXPECT_TRUE(IsLike("Load(int*, int)", "Load(int*, int)"));
  EXPECT_TRUE(IsLike("Load(int*, int)", "oad"));
  EXPECT_TRUE(IsLike("Load(int*, int)", "L*int)"));
  EXPECT_TRUE(IsLike("Load", "L?ad"));
  EXPECT_TRUE(IsLike("Load", "*"));
  EXPECT_FALSE(IsLike("Load", "L*d?"));
  EXPECT_FALSE(IsLike("Reload", "load*x"));
  EXPECT_FALSE(IsLike("", "?"));
  // Not exponential.
  EXPECT_FALSE(IsLike(std::string(2000, 'a'), "a*a*a*a*a*a*a*a*a*a*a*b"));
}

}  // namespace
}  // namespace mallocspy

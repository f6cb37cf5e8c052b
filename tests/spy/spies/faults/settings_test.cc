#include "spy/spies/faults/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mallocspy::spies::faults {
namespace {

TEST(FaultSettings, All) {
  Settings settings;
  ASSERT_TRUE(ParseSettings(
      "nth=3,every=10,probability=0.25,seed=0,above=100,after_mark=2,limit=4,within=a::b,outside=libc.so.6,outside=main,"
      "stack=00000000000000ff,stacks=once,children=0,list=/tmp/list",
      &settings));
  EXPECT_EQ(3u, settings.nth);
  EXPECT_EQ(10u, settings.every);
  EXPECT_EQ(uint64_t{1} << 51, settings.probability);
  EXPECT_EQ(0u, settings.seed);
  EXPECT_EQ(100u, settings.above);
  EXPECT_EQ(2u, settings.after_mark);
  EXPECT_EQ(4u, settings.limit);
  EXPECT_EQ(3u, settings.name_count);
  EXPECT_STREQ("a::b", settings.names[0]);
  EXPECT_EQ(1u, settings.within);
  EXPECT_EQ(6u, settings.outside);
  EXPECT_EQ(255u, settings.stack);
  EXPECT_TRUE(settings.first_of_each_stack);
  EXPECT_FALSE(settings.children);
  EXPECT_STREQ("/tmp/list", settings.list);
}

TEST(FaultSettings, ProbabilitiesGoFromZeroToOne) {
  Settings settings;
  EXPECT_TRUE(ParseSettings("probability=1", &settings));
  EXPECT_EQ(uint64_t{1} << 53, settings.probability);
  EXPECT_TRUE(ParseSettings("probability=.5", &settings));
  EXPECT_EQ(uint64_t{1} << 52, settings.probability);
  EXPECT_TRUE(ParseSettings("probability=0", &settings));
  EXPECT_EQ(0u, settings.probability);
}

TEST(FaultSettings, WhatCannotBeUsedIsNamed) {
  for (const char* args : {"", "nth=0", "nth=", "nth", "every=x", "probability=1.5", "probability=.", "probability=1.2.3", "stack=ff",
                           "stack=0000000000000000", "stack=00000000000000FF", "within=", "children=2", "stacks=twice", "size=3"}) {
    Settings settings;
    testing::internal::CaptureStderr();
    EXPECT_FALSE(ParseSettings(args, &settings)) << args;
    EXPECT_THAT(testing::internal::GetCapturedStderr(),
                testing::AllOf(testing::StartsWith("mallocspy_faults: cannot use the argument '"), testing::HasSubstr("give nth=N")))
        << args;
  }
  std::string names;
  for (size_t i = 0; i <= kMostNames; ++i) names += "within=f,";
  Settings settings;
  testing::internal::CaptureStderr();
  EXPECT_FALSE(ParseSettings(names.c_str(), &settings));
  testing::internal::GetCapturedStderr();
}

}  // namespace
}  // namespace mallocspy::spies::faults

#include "tools/wording/size_text.h"

#include <gtest/gtest.h>

namespace mallocspy {
namespace {

TEST(SizeText, FiveCharactersAtMost) {
  EXPECT_EQ(SizeText(0), "0");
  EXPECT_EQ(SizeText(999), "999");
  EXPECT_EQ(SizeText(1000), "1.0K");
  EXPECT_EQ(SizeText(73504132), "73.5M");
  EXPECT_EQ(SizeText(99949), "99.9K");
  EXPECT_EQ(SizeText(99950), "100K");
  EXPECT_EQ(SizeText(999499), "999K");
  EXPECT_EQ(SizeText(999500), "1.0M");
  EXPECT_EQ(SizeText(INT64_MAX), "9.2E");
}

TEST(SizeText, Negative) {
  EXPECT_EQ(SizeText(-1), "-1");
  EXPECT_EQ(SizeText(-1500), "-1.5K");
  EXPECT_EQ(SizeText(INT64_MIN), "-9.2E");
}

}  // namespace
}  // namespace mallocspy

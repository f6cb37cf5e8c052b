#include "spy/spies/arguments.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mallocspy::spies {
namespace {

TEST(SpyArguments, CommasSeparate) {
  const char* args = "a=1,,b,";
  std::vector<std::string> seen;
  Argument argument;
  while (NextArgument(&args, &argument)) seen.emplace_back(argument.text, argument.bytes);
  EXPECT_EQ((std::vector<std::string>{"a=1", "", "b"}), seen);
}

TEST(SpyArguments, AKeyHasAValue) {
  const Argument argument = {"file=/a=b,c", 9};
  const char* value;
  size_t bytes;
  ASSERT_TRUE(argument.Is("file=", &value, &bytes));
  EXPECT_EQ("/a=b", std::string(value, bytes));
  EXPECT_FALSE(argument.Is("files=", &value, &bytes));
  EXPECT_FALSE(argument.Is("file=/a=b,c"));
  EXPECT_TRUE(argument.Is("file=/a=b"));
}

TEST(SpyArguments, NumbersAreWholeAndInRange) {
  uint64_t number = 7;
  EXPECT_FALSE(ParseNumber("", 0, 0, 9, &number));
  EXPECT_FALSE(ParseNumber("-1", 2, 0, 9, &number));
  EXPECT_FALSE(ParseNumber("1x", 2, 0, 99, &number));
  EXPECT_FALSE(ParseNumber("10", 2, 0, 9, &number));
  EXPECT_FALSE(ParseNumber("18446744073709551616", 20, 0, UINT64_MAX, &number));
  EXPECT_EQ(7u, number);
  EXPECT_TRUE(ParseNumber("18446744073709551615", 20, 0, UINT64_MAX, &number));
  EXPECT_EQ(UINT64_MAX, number);
}

TEST(SpyArguments, TextsHaveRoomForTheirEnd) {
  char copy[4];
  EXPECT_FALSE(CopyText("abcd", 4, copy, sizeof(copy)));
  EXPECT_FALSE(CopyText("", 0, copy, sizeof(copy)));
  ASSERT_TRUE(CopyText("abcd", 3, copy, sizeof(copy)));
  EXPECT_STREQ("abc", copy);
}

}  // namespace
}  // namespace mallocspy::spies

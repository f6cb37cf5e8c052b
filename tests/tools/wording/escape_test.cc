#include "tools/wording/escape.h"

#include <gtest/gtest.h>

namespace mallocspy {
namespace {

TEST(Escape, LeavesTextAlone) {
  EXPECT_EQ(Escaped("operator new[](unsigned long)"), "operator new[](unsigned long)");
  EXPECT_EQ(Escaped("größe/日本/😀"), "größe/日本/😀");
  EXPECT_EQ(Escaped("a\\b"), "a\\b");
}

TEST(Escape, ControlCharactersReachNoTerminal) {
  EXPECT_EQ(Escaped("\x1b[31mred\n\t\r"), "\\x1b[31mred\\x0a\\x09\\x0d");
  EXPECT_EQ(Escaped(absl::string_view("\0\x7f", 2)), "\\x00\\x7f");
  EXPECT_EQ(Escaped("\xc2\x9b"
                    "31m"),
            "\\x9b31m");  // CSI in one character
}

TEST(Escape, TextCannotTurnOrBreakTheLine) {
  EXPECT_EQ(Escaped("\xe2\x80\xae"
                    "evil"),
            "\\u{202e}evil");
  EXPECT_EQ(Escaped("\xe2\x81\xa6"), "\\u{2066}");
  EXPECT_EQ(Escaped("\xe2\x80\xa8"), "\\u{2028}");
}

TEST(Escape, BytesThatAreNotUtf8) {
  EXPECT_EQ(Escaped("a\xff"
                    "b"),
            "a\\xffb");
  EXPECT_EQ(Escaped("\xc0\xaf"), "\\xc0\\xaf");           // overlong
  EXPECT_EQ(Escaped("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // surrogate
  EXPECT_EQ(Escaped("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
  EXPECT_EQ(Escaped("\xe2\x82"), "\\xe2\\x82");  // cut off
  EXPECT_EQ(ValidUtf8("a\xff"
                      "b\xe2\x82\xac"),
            "a\xef\xbf\xbd"
            "b\xe2\x82\xac");
}

}  // namespace
}  // namespace mallocspy

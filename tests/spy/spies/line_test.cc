#include "spy/spies/line.h"

#include <gtest/gtest.h>

#include <string>

namespace mallocspy::spies {
namespace {

std::string Path(const std::string& path) {
  Line line;
  line.Path(path.c_str());
  return std::string(line.data(), line.size());
}

TEST(SpyLine, Numbers) {
  Line line;
  line.Number(0).Char(' ').Number(UINT64_MAX).Char(' ').Hex(0).Char(' ').Hex(0xdeadbeef).Char(' ').Hex(UINT64_MAX);
  line.End();
  EXPECT_EQ("0 18446744073709551615 0x0 0xdeadbeef 0xffffffffffffffff\n", std::string(line.data(), line.size()));
  line.Clear();
  EXPECT_EQ(0u, line.size());
}

TEST(SpyLine, APathCannotForgeALine) {
  EXPECT_EQ("/usr/lib/a b", Path("/usr/lib/a b"));
  EXPECT_EQ("a\\\"b\\\\c", Path("a\"b\\c"));
  EXPECT_EQ("a\\u000ab\\u001b[1m\\u007f", Path("a\nb\x1b[1m\x7f"));
}

TEST(SpyLine, OnlyUtf8Passes) {
  EXPECT_EQ("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
            Path("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"));
  EXPECT_EQ("\\ufffd", Path("\xff"));
  EXPECT_EQ("\\ufffd\\ufffd", Path("\xc0\x80")) << "too long a form";
  EXPECT_EQ("\\ufffd\\ufffd\\ufffd", Path("\xed\xa0\x80")) << "a surrogate";
  EXPECT_EQ("\\ufffd\\ufffd\\ufffd\\ufffd", Path("\xf4\x90\x80\x80")) << "beyond the last character";
  EXPECT_EQ("a\\ufffd", Path("a\xe2")) << "cut at the end";
  EXPECT_EQ("\\ufffdx", Path("\xe2x"));
}

TEST(SpyLine, WhatIsTooLongIsCut) {
  const std::string path = std::string(3000, 'x') + "/end";
  EXPECT_EQ(path.substr(path.size() - 1024), Path(path));
  Line line;
  for (int i = 0; i < 3; ++i) line.Path(std::string(1024, '\n').c_str());
  line.End();
  EXPECT_EQ('\n', line.data()[line.size() - 1]);
  EXPECT_EQ(8192u, line.size());
}

}  // namespace
}  // namespace mallocspy::spies

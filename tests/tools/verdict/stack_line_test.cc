#include "tools/verdict/stack_line.h"

#include <gtest/gtest.h>

namespace mallocspy {
namespace {

Frame In(const std::string& module, const std::string& function) {
  Frame frame;
  frame.module = module;
  frame.function = function;
  frame.offset = 0x10;
  frame.address = 0x4010;
  return frame;
}

TEST(StackLine, NamesAFrameAsFarAsItIsKnown) {
  EXPECT_EQ(FrameName(In("/opt/prog", "Load(int)")), "Load(int)");
  EXPECT_EQ(FrameName(In("/opt/prog", "")), "prog+0x10");
  EXPECT_EQ(FrameName(In("", "")), "0x4010");
}

TEST(StackLine, BeginsWithTheProgramsOwn) {
  const Frame library = In("/usr/lib/x86_64-linux-gnu/libstdc++.so.6", "operator new(unsigned long)");
  EXPECT_EQ(StackLine({library, In("/opt/prog", "a"), In("/opt/prog", "b"), library, In("/opt/prog", "c"), In("/opt/prog", "d")}),
            "a < b < operator new(unsigned long) < c");
  EXPECT_EQ(StackLine({library, library}), "operator new(unsigned long) < operator new(unsigned long)");
  EXPECT_EQ(StackLine({In("", ""), library}), "0x4010 < operator new(unsigned long)");
  EXPECT_EQ(StackLine({}), "(not known)");
}

}  // namespace
}  // namespace mallocspy

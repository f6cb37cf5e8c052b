#include "tools/command/library_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mallocspy {
namespace {

using ::testing::HasSubstr;

TEST(LibraryOptions, GoodOnesHaveNoProblem) {
  EXPECT_EQ(LibraryOptionsProblem(""), "");
  EXPECT_EQ(LibraryOptionsProblem("guard=1:stack_depth=16:report=none"), "");
}

TEST(LibraryOptions, ProblemsNameTheItemAndTheWayOut) {
  EXPECT_THAT(LibraryOptionsProblem("guard=1:gaurd=0"),
              HasSubstr("'gaurd=0' is not an option (did you mean 'guard'?)"));
  EXPECT_THAT(LibraryOptionsProblem("stack_depth=0"), HasSubstr("(stack_depth=1..4096)"));
  EXPECT_THAT(LibraryOptionsProblem("report=maybe"), HasSubstr("(report=auto|none)"));
  EXPECT_THAT(LibraryOptionsProblem("guard"), HasSubstr("'guard' has no value"));
}

TEST(LibraryOptions, HelpHasEveryOption) {
  EXPECT_THAT(LibraryOptionsHelp(), HasSubstr("  guard=0|1\n"));
  EXPECT_THAT(LibraryOptionsHelp(), HasSubstr("(default 512)"));
}

}  // namespace
}  // namespace mallocspy

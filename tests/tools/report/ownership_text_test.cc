#include "tools/report/ownership_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/report/sample_findings.h"

namespace mallocspy {
namespace {

using testing::HasSubstr;

TEST(OwnershipText, WhatPassedThroughAnotherDoorComesFirst) {
  Findings findings = SampleClean(42);
  findings.ownership = {{"/bin/prog", "/bin/prog", Door::kMalloc, Door::kMalloc, 9, 900},
                        {"/lib/libfoo.so", "/bin/prog", Door::kTask, Door::kTask, 3, 300},
                        {"/lib/libfoo.so", "/bin/prog", Door::kMalloc, Door::kNew, 1, 8}};
  const std::string text = OwnershipText({findings});
  const size_t mismatched = text.find("libfoo.so by malloc  prog by new");
  const size_t passed = text.find("libfoo.so by task    prog by task");
  const size_t plain = text.find("prog by malloc       prog by malloc");
  ASSERT_NE(mismatched, std::string::npos) << text;
  ASSERT_NE(passed, std::string::npos) << text;
  ASSERT_NE(plain, std::string::npos) << text;
  EXPECT_LT(mismatched, passed);
  EXPECT_LT(passed, plain);
  EXPECT_THAT(text, HasSubstr("8  another door\n"));
  EXPECT_THAT(text, HasSubstr("(pid 42)"));
}

TEST(OwnershipText, NamesAreEscaped) {
  Findings findings = SampleClean(42);
  findings.ownership = {{"/lib/a\x1b[1m.so", "", Door::kMalloc, Door::kMalloc, 1, 1}};
  const std::string text = OwnershipText({findings});
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_THAT(text, HasSubstr("(unknown) by malloc"));
}

TEST(OwnershipText, SaysHowToRecordIt) { EXPECT_THAT(OwnershipText({SampleClean(42)}), HasSubstr("run --ownership")); }

}  // namespace
}  // namespace mallocspy

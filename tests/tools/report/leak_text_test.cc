#include "tools/report/leak_text.h"

#include <gtest/gtest.h>

#include "tests/tools/report/sample_findings.h"

namespace mallocspy {
namespace {

TEST(LeakText, HeadlineNamesTheClassWhenItIsKnown) {
  const Findings every = SampleEveryClass(42);
  EXPECT_EQ(LeakHeadline(every.leaks[0]), "definite leak of 11 bytes in 2 blocks, made by new[]");
  EXPECT_EQ(LeakHeadline(every.leaks[1]), "indirect leak of 12 bytes in 2 blocks, made by new[]");
  EXPECT_EQ(LeakHeadline(every.leaks[2]), "possible leak of 13 bytes in 2 blocks, made by new[]");
  EXPECT_EQ(LeakHeadline(every.leaks[3]), "still reachable memory of 14 bytes in 2 blocks, made by new[]");
  EXPECT_EQ(LeakHeadline(every.leaks[4]), "leak of 15 bytes in 2 blocks, made by new[]");
  EXPECT_EQ(LeakHeadline(Leak()), "leak of 0 bytes in 0 blocks");
}

TEST(LeakText, WhatIsNotListedIsCounted) {
  EXPECT_EQ(UnlistedLeaks(SampleLeaks(42)), "1 smaller leak of 4 bytes in 2 blocks");
  EXPECT_EQ(UnlistedLeaks(SampleEveryClass(42)), "");
  EXPECT_EQ(UnlistedLeaks(SampleClean(42)), "");
}

TEST(LeakText, PlaceIsTheOwnFrameOrTheFirstWithAName) {
  const Findings findings = SampleLeaks(42);
  const std::vector<Frame>& frames = findings.leaks[0].frames;
  EXPECT_EQ(PlaceText(frames, nullptr), "inner() at /src/a.cc:3");
  EXPECT_EQ(PlaceText(frames, &frames[1]), "outer() at /src/b.cc:14");
  EXPECT_EQ(PlaceText({frames[2]}, nullptr), "main in /opt/prog");
  EXPECT_EQ(PlaceText(findings.leaks[1].frames, nullptr), "/opt/prog+0x3030");
  EXPECT_EQ(PlaceText({findings.leaks[1].frames[1]}, nullptr), "code of no module");
  EXPECT_EQ(PlaceText({}, nullptr), "stack not known");
}

}  // namespace
}  // namespace mallocspy

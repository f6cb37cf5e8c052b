#include "tools/report/acceptance_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/report/sample_findings.h"

namespace mallocspy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using State = SuppressionUse::State;

TEST(AcceptanceText, Sentences) {
  Findings findings = SampleAccepted(42);
  findings.suppressions.push_back({State::kExpired, "old", "a.supp", 12, "", 1, 5});
  findings.suppressions.push_back({State::kExpired, "older", "a.supp", 13, "", 0, 0});
  findings.suppressions.push_back({State::kExceeded, "much", "a.supp", 14, "", 9, 90});
  EXPECT_THAT(AcceptanceSentences(findings),
              ElementsAre("suppressed: 2 blocks (80 bytes) by plugins (a.supp:3): one for each plugin.",
                          "the suppression old (a.supp:12) has expired; it would have matched 1 block (5 bytes).",
                          "the suppression older (a.supp:13) has expired; it matched nothing.",
                          "the suppression much (a.supp:14) matched 9 blocks (90 bytes), more than its ceiling, so it "
                          "suppressed nothing.",
                          "1 suppression matched nothing: stale (a.supp:9).",
                          "since the baseline old.json: 0 new, 0 grown, 1 known, 4 gone."));
  EXPECT_THAT(AcceptanceSentences(SampleLeaks(42)), IsEmpty());
}

TEST(AcceptanceText, ManyUnusedOnesTakeOneSentence) {
  Findings findings;
  for (int i = 1; i <= 7; ++i) findings.suppressions.push_back({State::kUnused, "x", "a", i, "", 0, 0});
  EXPECT_THAT(AcceptanceSentences(findings),
              ElementsAre("7 suppressions matched nothing: x (a:1), x (a:2), x (a:3), x (a:4), x (a:5) and 2 more."));
}

TEST(AcceptanceText, NamesAreEscaped) {
  Findings findings;
  findings.suppressions = {{State::kUsed, "a\x1b", "b\n", 1, "c\r", 1, 1}};
  const std::string text = AcceptanceSentences(findings).at(0);
  EXPECT_EQ(text.find_first_of("\x1b\n\r"), std::string::npos);
  Leak leak;
  EXPECT_EQ(WhyAccepted(leak), "");
  leak.suppressed_by = "a\x1b";
  EXPECT_EQ(WhyAccepted(leak), "suppressed by a\\x1b");
}

}  // namespace
}  // namespace mallocspy

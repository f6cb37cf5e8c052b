#include "tools/oom/trial.h"

#include <gtest/gtest.h>

namespace mallocspy {
namespace {

std::vector<Frame> At(uint64_t offset) {
  std::vector<Frame> frames(1);
  frames[0].module = "/program";
  frames[0].offset = offset;
  return frames;
}

Outcome JudgedAs(RunResult result, const RunResult& baseline = {}, bool reached = true) { return Judge(baseline, reached, &result); }

TEST(Trial, HowItEnded) {
  EXPECT_EQ(Outcome::kHandled, JudgedAs({}));
  EXPECT_EQ(Outcome::kHandled, JudgedAs({.exit_code = 3}));
  EXPECT_EQ(Outcome::kCrashed, JudgedAs({.signal = 11}));
  EXPECT_EQ(Outcome::kHung, JudgedAs({.signal = 6, .hung = true}));
  EXPECT_EQ(Outcome::kUnreached, JudgedAs({}, {}, false));
  EXPECT_EQ(Outcome::kMisused, JudgedAs({.errors = {{"double-free of x", At(1)}}}));
}

TEST(Trial, TheWorstCounts) {
  const std::vector<Problem> errors = {{"double-free of x", At(1)}};
  EXPECT_EQ(Outcome::kCrashed, JudgedAs({.signal = 11, .lost_blocks = 3, .errors = errors}));
  EXPECT_EQ(Outcome::kMisused, JudgedAs({.lost_blocks = 3, .errors = errors}));
  EXPECT_EQ(Outcome::kHung, JudgedAs({.signal = 9, .hung = true, .errors = errors}));
}

TEST(Trial, LostBlocksAreALeakAndOthersOnlyIfItWentOn) {
  const RunResult baseline = {.live_blocks = 5, .lost_blocks = 1};
  EXPECT_EQ(Outcome::kHandled, JudgedAs({.live_blocks = 5, .lost_blocks = 1}, baseline));
  EXPECT_EQ(Outcome::kLeaked, JudgedAs({.exit_code = 1, .live_blocks = 6, .lost_blocks = 2}, baseline));
  EXPECT_EQ(Outcome::kLeaked, JudgedAs({.live_blocks = 6, .lost_blocks = 1}, baseline));
  EXPECT_EQ(Outcome::kHandled, JudgedAs({.exit_code = 1, .live_blocks = 60, .lost_blocks = 1}, baseline));
}

TEST(Trial, WhatTheFirstRunDidIsNoFault) {
  const RunResult baseline = {.signal = 6, .lost_blocks = 2, .errors = {{"double-free of 0x1", At(1)}}, .leaks = {{"lost 2 blocks", At(2)}}};
  RunResult result = {.signal = 6,
                      .lost_blocks = 2,
                      .errors = {{"double-free of 0x9", At(1)}},
                      .leaks = {{"lost 2 blocks", At(2)}, {"lost 1 block", At(3)}}};
  EXPECT_EQ(Outcome::kHandled, Judge(baseline, true, &result));
  EXPECT_EQ(0u, result.errors.size());
  ASSERT_EQ(1u, result.leaks.size());
  EXPECT_EQ("lost 1 block", result.leaks[0].headline);
  EXPECT_EQ(Outcome::kMisused, JudgedAs({.signal = 6, .errors = {{"double-free of 0x9", At(4)}}}, baseline));
  EXPECT_EQ(Outcome::kMisused, JudgedAs({.signal = 6, .errors = {{"invalid-free of 0x9", At(1)}}}, baseline));
}

// A record that is not there cannot say that the failure did not happen.
TEST(Trial, WithoutARecordTheEndCounts) { EXPECT_EQ(Outcome::kHandled, JudgedAs({.seen = false}, {}, false)); }

TEST(Trial, NamesGoThereAndBack) {
  for (int i = 0; i <= static_cast<int>(kLastOutcome); ++i) {
    EXPECT_EQ(static_cast<Outcome>(i), OutcomeNamed(NameOf(static_cast<Outcome>(i))));
  }
  EXPECT_FALSE(OutcomeNamed("exploded").has_value());
  EXPECT_TRUE(IsStackId("0123456789abcdef"));
  for (const char* const bad : {"", "0123456789abcde", "0123456789abcdeF", "0123456789abcdef0", "0123456789abcde "}) {
    EXPECT_FALSE(IsStackId(bad)) << bad;
  }
}

}  // namespace
}  // namespace mallocspy

#include "tools/oom/oom_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>

namespace mallocspy {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<Frame> Stack(const std::string& function) {
  std::vector<Frame> frames(2);
  frames[0].function = function;
  frames[0].module = "/usr/bin/program";
  frames[1].function = "main";
  frames[1].module = "/usr/bin/program";
  return frames;
}

Trial Tried(Outcome outcome, const std::string& function, int signal = 0) {
  static int number = 0;
  char id[32];
  snprintf(id, sizeof(id), "%016x", ++number);
  Trial trial;
  trial.failed = {id, 24, "malloc", Stack(function)};
  trial.outcome = outcome;
  trial.result.signal = signal;
  if (signal != 0) trial.result.struck = Stack(function + "_struck");
  return trial;
}

Campaign Sample() {
  Campaign campaign;
  campaign.program = "/usr/bin/program";
  campaign.arguments = {"program", "<x>"};
  campaign.stacks = campaign.chosen = 6;
  campaign.trials = {Tried(Outcome::kHandled, "Fine"), Tried(Outcome::kCrashed, "GivesUp", SIGABRT), Tried(Outcome::kCrashed, "Bad", SIGSEGV),
                     Tried(Outcome::kCrashed, "Bad", SIGSEGV), Tried(Outcome::kLeaked, "Loses")};
  campaign.trials[4].result.lost_blocks = 2;
  campaign.trials[4].result.leaks = {{"lost 2 blocks of 9 bytes made by malloc", Stack("Maker")}};
  Trial misused = Tried(Outcome::kMisused, "Twice");
  misused.result.errors = {{"double-free of 0x1", Stack("Again")}};
  campaign.trials.push_back(misused);
  return campaign;
}

TEST(OomReport, TheAnswerComesFirst) {
  const std::string text = OomText(Sample(), kPlain);
  EXPECT_EQ(0u, text.find("mallocspy oom: 6 of 6 allocating call stacks of program failed once each: 1 handled, 3 crashed, 0 hung, 1 leaked, "
                          "1 misused\n"));
}

TEST(OomReport, AlikeOnesAreTogetherAndWhatNobodyWantedIsFirst) {
  const std::string text = OomText(Sample(), kPlain);
  EXPECT_THAT(text, HasSubstr("crashed (SIGSEGV) when malloc of 24 bytes failed, and likewise at 1 other stack\n  the allocation that failed:\n"));
  EXPECT_LT(text.find("crashed (SIGSEGV)"), text.find("crashed (SIGABRT)"));
  EXPECT_LT(text.find("crashed (SIGABRT)"), text.find("misused the heap (1 error)"));
  EXPECT_LT(text.find("misused"), text.find("leaked (2 blocks lost)"));
  EXPECT_THAT(text, HasSubstr("  killed here:\n    #0 in Bad_struck"));
  EXPECT_THAT(text, HasSubstr("  double-free of 0x1\n    #0 in Again"));
  EXPECT_THAT(text, HasSubstr("  lost 2 blocks of 9 bytes made by malloc\n    #0 in Maker"));
  EXPECT_THAT(text, HasSubstr("  again: mallocspy run --follow=none --spy=faults:stack="));
  EXPECT_THAT(text, Not(HasSubstr("Fine")));
}

TEST(OomReport, NothingBad) {
  Campaign campaign = Sample();
  campaign.trials.resize(1);
  EXPECT_EQ(Outcome::kHandled, WorstOutcome(campaign));
  EXPECT_THAT(OomText(campaign, kColoured), HasSubstr(kColoured.good));
  EXPECT_EQ(Outcome::kCrashed, WorstOutcome(Sample()));
}

TEST(OomReport, NamesAreTextInEachFormat) {
  Campaign campaign = Sample();
  campaign.trials[2].failed.frames[0].function = "a\x1b[31m<b>&\"\xff";
  EXPECT_THAT(OomText(campaign, kPlain), Not(HasSubstr("\x1b")));
  const std::string junit = OomJunit(campaign, {"2026-01-01T00:00:00", "host"});
  EXPECT_THAT(junit, Not(HasSubstr("\x1b")));
  EXPECT_THAT(junit, Not(HasSubstr("<b>")));
  EXPECT_FALSE(nlohmann::json::parse(OomJson(campaign), nullptr, false).is_discarded());
}

TEST(OomReport, Json) {
  const nlohmann::json json = nlohmann::json::parse(OomJson(Sample()));
  EXPECT_EQ("mallocspy-oom/1", json["schema"]);
  EXPECT_EQ(6, json["summary"]["tried"]);
  EXPECT_EQ(3, json["summary"]["crashed"]);
  EXPECT_EQ(0, json["summary"]["hung"]);
  ASSERT_EQ(6u, json["outcomes"].size());
  const nlohmann::json& crash = json["outcomes"][2];
  EXPECT_EQ("crashed", crash["outcome"]);
  EXPECT_EQ(SIGSEGV, crash["signal"]);
  EXPECT_TRUE(crash["exit_code"].is_null());
  EXPECT_EQ("Bad", crash["frames"][0]["function"]);
  EXPECT_EQ("Bad_struck", crash["struck"][0]["function"]);
  EXPECT_EQ(0, json["outcomes"][0]["exit_code"]);
}

TEST(OomReport, JunitHasATestForEachStack) {
  const std::string junit = OomJunit(Sample(), {"2026-01-01T00:00:00", "host"});
  EXPECT_THAT(junit, HasSubstr("tests=\"6\" failures=\"5\" errors=\"0\""));
  EXPECT_THAT(junit, HasSubstr("<failure type=\"misused\""));
  EXPECT_THAT(junit, HasSubstr("malloc of 24 bytes fails in Fine"));
}

}  // namespace
}  // namespace mallocspy

#include "tools/verdict/suppressing.h"

#include <gtest/gtest.h>

#include "tools/verdict/accepted_leaks.h"
#include "tools/verdict/built_in_suppressions.h"
#include "tools/verdict/fail_on.h"
#include "tools/verdict/suppression_file.h"

namespace mallocspy {
namespace {

using State = SuppressionUse::State;

const absl::CivilDay kToday(2026, 11, 23);

Leak Through(const std::string& function, uint64_t blocks = 1, LeakClass leak_class = LeakClass::kDefinite) {
  Leak leak;
  leak.id = "id of " + function;
  leak.leak_class = leak_class;
  leak.door = Door::kMalloc;
  leak.blocks = blocks;
  leak.bytes = 10 * blocks;
  leak.frames.emplace_back().function = function;
  return leak;
}

Findings With(const std::vector<Leak>& leaks) {
  Findings findings;
  findings.leaks = leaks;
  findings.leak_groups = leaks.size();
  for (const Leak& leak : leaks) {
    findings.leak_blocks += leak.blocks;
    findings.leak_bytes += leak.bytes;
    findings.Of(leak.leak_class).blocks += leak.blocks;
    findings.Of(leak.leak_class).bytes += leak.bytes;
  }
  findings.verdict.status = findings.Lost().blocks == 0 ? Status::kClean : Status::kLeaks;
  return findings;
}

std::vector<SuppressionUse> Apply(const std::string& text, std::vector<Findings>* reports) {
  const absl::StatusOr<std::vector<Suppression>> suppressions = ParseSuppressions(text, "x.supp");
  EXPECT_TRUE(suppressions.ok()) << suppressions.status();
  std::vector<SuppressionUse> uses = Suppress(*suppressions, kToday, reports);
  SetAsideAccepted(reports);
  return uses;
}

TEST(Suppressing, WhatIsSuppressedCountsForNothing) {
  std::vector<Findings> reports = {With({Through("known", 2), Through("other", 3)})};
  const std::vector<SuppressionUse> uses = Apply("#mallocspy: reason=ours\nleak:known\nleak:none\n", &reports);
  const Findings& findings = reports[0];
  ASSERT_EQ(findings.leaks.size(), 1u);
  EXPECT_EQ(findings.leak_groups, 1u);
  EXPECT_EQ(findings.leak_blocks, 3u);
  EXPECT_EQ(findings.leak_bytes, 30u);
  EXPECT_EQ(findings.Of(LeakClass::kDefinite).blocks, 3u);
  EXPECT_EQ(findings.verdict.status, Status::kLeaks);
  ASSERT_EQ(findings.accepted.size(), 1u);
  EXPECT_EQ(findings.accepted[0].suppressed_by, "known");
  EXPECT_EQ(findings.accepted[0].suppressed_because, "ours");
  EXPECT_EQ(findings.suppressed_leaks, 1u);
  ASSERT_EQ(uses.size(), 2u);
  EXPECT_EQ(uses[0].state, State::kUsed);
  EXPECT_EQ(uses[0].blocks, 2u);
  EXPECT_EQ(uses[0].bytes, 20u);
  EXPECT_EQ(uses[0].line, 2);
  EXPECT_EQ(uses[1].state, State::kUnused);
}

TEST(Suppressing, WithoutLeaksLeftTheVerdictIsCleanUnlessMoreIsWrong) {
  std::vector<Findings> reports = {With({Through("known"), Through("kept", 1, LeakClass::kReachable)}), With({})};
  reports[1].children = {With({Through("known")})};
  Apply("leak:known\n", &reports);
  EXPECT_EQ(reports[0].verdict.status, Status::kClean);
  EXPECT_EQ(reports[1].children[0].verdict.status, Status::kClean);
  EXPECT_EQ(FailOn().ExitStatus(reports[0]), kExitClean);
  EXPECT_EQ(FailOn().ExitStatus(reports[1]), kExitClean);
  reports = {With({Through("known")})};
  reports[0].verdict.status = Status::kIncomplete;
  Apply("leak:known\n", &reports);
  EXPECT_EQ(reports[0].verdict.status, Status::kIncomplete);
}

TEST(Suppressing, TheFirstThatMatchesCounts) {
  std::vector<Findings> reports = {With({Through("known")})};
  const std::vector<SuppressionUse> uses = Apply("leak:know\nleak:known\n", &reports);
  EXPECT_EQ(reports[0].accepted[0].suppressed_by, "know");
  EXPECT_EQ(uses[1].state, State::kUnused);
}

TEST(Suppressing, CeilingsAreForAllProcessesTogether) {
  const std::string at_most_4 = "#mallocspy: max-blocks=4\nleak:known\n";
  std::vector<Findings> reports = {With({Through("known", 3)}), With({Through("known", 1)})};
  EXPECT_EQ(Apply(at_most_4, &reports)[0].state, State::kUsed);
  EXPECT_TRUE(reports[0].leaks.empty());
  reports = {With({Through("known", 3)}), With({Through("known", 2)})};
  const SuppressionUse use = Apply(at_most_4, &reports)[0];
  EXPECT_EQ(use.state, State::kExceeded);
  EXPECT_EQ(use.blocks, 5u);
  EXPECT_EQ(reports[0].leaks.size(), 1u);
  EXPECT_EQ(reports[1].leaks.size(), 1u);
  reports = {With({Through("known", 3)})};
  EXPECT_EQ(Apply("#mallocspy: max-bytes=29\nleak:known\n", &reports)[0].state, State::kExceeded);
}

TEST(Suppressing, WhatOneExceededLeavesGoesToTheNext) {
  std::vector<Findings> reports = {With({Through("known", 3)})};
  const std::vector<SuppressionUse> uses = Apply("#mallocspy: max-blocks=2\nleak:know\nleak:known\n", &reports);
  EXPECT_EQ(uses[0].state, State::kExceeded);
  EXPECT_EQ(uses[1].state, State::kUsed);
  EXPECT_EQ(reports[0].accepted[0].suppressed_by, "known");
}

TEST(Suppressing, TheDayOfExpiryIsTheLast) {
  std::vector<Findings> reports = {With({Through("known")})};
  EXPECT_EQ(Apply("#mallocspy: expires=2026-11-23\nleak:known\n", &reports)[0].state, State::kUsed);
  EXPECT_TRUE(reports[0].leaks.empty());
  reports = {With({Through("known", 2)})};
  const SuppressionUse use = Apply("#mallocspy: expires=2026-11-22\nleak:known\n", &reports)[0];
  EXPECT_EQ(use.state, State::kExpired);
  EXPECT_EQ(use.blocks, 2u);
  EXPECT_EQ(reports[0].leaks.size(), 1u);
}

TEST(Suppressing, IndirectLeaksGoWithTheLastDefiniteOne) {
  const std::string text = "{\nname\nMemcheck:Leak\nmatch-leak-kinds: definite\nfun:head\n}\n";
  std::vector<Findings> reports = {With({Through("head"), Through("tail", 5, LeakClass::kIndirect)})};
  Apply(text, &reports);
  EXPECT_TRUE(reports[0].leaks.empty());
  EXPECT_EQ(reports[0].accepted[1].suppressed_by, "name");
  // Which of the two leads to it is not known.
  reports = {With({Through("head"), Through("other"), Through("tail", 5, LeakClass::kIndirect)})};
  Apply(text, &reports);
  EXPECT_EQ(reports[0].leaks.size(), 2u);
}

TEST(BuiltInSuppressions, AreReadAndTellWhy) {
  const std::vector<Suppression> suppressions = BuiltInSuppressions();
  ASSERT_FALSE(suppressions.empty());
  for (const Suppression& suppression : suppressions) {
    EXPECT_TRUE(suppression.built_in);
    EXPECT_NE(suppression.reason, "") << suppression.name;
  }
}

TEST(BuiltInSuppressions, AcceptOnlyWhatALibraryDoesByItself) {
  const auto suppressed = [](const std::vector<std::pair<std::string, std::string>>& frames) {
    Leak leak = Through("");
    leak.frames.clear();
    for (const auto& [module, function] : frames) {
      leak.frames.emplace_back().module = module;
      leak.frames.back().function = function;
    }
    std::vector<Findings> reports = {With({leak})};
    return !Suppress(BuiltInSuppressions(), kToday, &reports).empty();
  };
  const std::string loader = "/lib64/ld-linux-x86-64.so.2", libc = "/lib/x86_64-linux-gnu/libc.so.6",
                    cxx = "/lib/x86_64-linux-gnu/libstdc++.so.6", program = "/bin/prog";
  EXPECT_TRUE(suppressed({{loader, ""}, {libc, "dlopen"}, {program, "main"}}));
  EXPECT_TRUE(suppressed({{cxx, ""}, {loader, ""}}));
  EXPECT_TRUE(suppressed({{libc, "tsearch"}, {libc, ""}, {program, "main"}}));
  EXPECT_FALSE(suppressed({{libc, "tsearch"}, {program, "main"}}));
  EXPECT_FALSE(suppressed({{libc, "strdup"}, {program, "main"}}));
  EXPECT_FALSE(suppressed({{cxx, "std::string::append(char const*)"}, {program, "main"}}));
  EXPECT_FALSE(suppressed({{cxx, "std::string::append(char const*)"}, {program, "Init()"}, {loader, "call_init"}}));
  EXPECT_FALSE(suppressed({{program, "Init()"}, {loader, "call_init"}}));
}

}  // namespace
}  // namespace mallocspy

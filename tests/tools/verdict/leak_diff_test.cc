#include "tools/verdict/leak_diff.h"

#include <gtest/gtest.h>

#include "tools/verdict/accepted_leaks.h"
#include "tools/verdict/fail_on.h"

namespace mallocspy {
namespace {

using Kind = LeakChange::Kind;
using State = BaselineMatch::State;

Leak Some(const std::string& id, uint64_t blocks, uint64_t bytes, LeakClass leak_class = LeakClass::kDefinite) {
  Leak leak;
  leak.id = id;
  leak.leak_class = leak_class;
  leak.blocks = blocks;
  leak.bytes = bytes;
  return leak;
}

LeakChange Only(const std::vector<Leak>& before, const std::vector<Leak>& now) {
  const std::vector<LeakChange> changes = DiffLeaks(before, now);
  EXPECT_EQ(changes.size(), 1u);
  return changes.at(0);
}

TEST(LeakDiff, KindsComeInTheirOrderAndTheLargestFirst) {
  const std::vector<LeakChange> changes = DiffLeaks(
      {Some("same", 1, 1), Some("gone", 1, 1), Some("shrunk", 2, 2), Some("grown", 1, 1)},
      {Some("same", 1, 1), Some("new", 1, 1), Some("grown", 1, 2), Some("shrunk", 1, 1), Some("newer", 1, 9)});
  std::vector<std::string> order;
  for (const LeakChange& change : changes) order.push_back(std::string(NameOf(change.kind)) + " " + change.leak.id);
  EXPECT_EQ(order, (std::vector<std::string>{"new newer", "new new", "grown grown", "shrunk shrunk", "gone gone",
                                             "same same"}));
}

TEST(LeakDiff, MoreBlocksOrMoreBytesIsGrown) {
  EXPECT_EQ(Only({Some("a", 1, 9)}, {Some("a", 2, 4)}).kind, Kind::kGrown);
  EXPECT_EQ(Only({Some("a", 2, 4)}, {Some("a", 1, 9)}).kind, Kind::kGrown);
  EXPECT_EQ(Only({Some("a", 2, 4)}, {Some("a", 2, 3)}).kind, Kind::kShrunk);
}

TEST(LeakDiff, LeaksOfOneIdAreSummed) {
  const LeakChange change = Only({Some("a", 1, 10), Some("a", 2, 20)}, {Some("a", 3, 30)});
  EXPECT_EQ(change.kind, Kind::kSame);
  EXPECT_EQ(change.before.blocks, 3u);
  EXPECT_EQ(Only({Some("a", UINT64_MAX, 1), Some("a", 2, 1)}, {Some("a", UINT64_MAX, 2)}).kind, Kind::kSame);
}

TEST(LeakDiff, AWorseClassIsGrownAndABetterOneIsNot) {
  const LeakChange worse =
      Only({Some("a", 5, 50, LeakClass::kReachable)}, {Some("a", 1, 10), Some("a", 4, 40, LeakClass::kReachable)});
  EXPECT_EQ(worse.kind, Kind::kGrown);
  EXPECT_EQ(worse.worst_grown, LeakClass::kDefinite);
  EXPECT_EQ(worse.worst_before, LeakClass::kReachable);
  EXPECT_EQ(worse.worst_now, LeakClass::kDefinite);
  EXPECT_EQ(Only({Some("a", 5, 50)}, {Some("a", 5, 50, LeakClass::kPossible)}).kind, Kind::kShrunk);
  EXPECT_EQ(Only({Some("a", 5, 50)}, {Some("a", 5, 50, LeakClass::kIndirect)}).kind, Kind::kSame);
  EXPECT_EQ(Only({Some("a", 5, 50)}, {Some("a", 5, 50, LeakClass::kUnknown)}).kind, Kind::kSame);
  EXPECT_EQ(Only({}, {Some("a", 5, 50, LeakClass::kReachable)}).worst_grown, LeakClass::kReachable);
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

TEST(Baseline, WhatIsKnownCountsForNothing) {
  std::vector<Findings> reports = {With({Some("known", 2, 2), Some("new", 1, 1), Some("grown", 3, 3)})};
  CompareWithBaseline({Some("known", 2, 9), Some("grown", 2, 2), Some("gone", 1, 1)}, "old.json", &reports);
  SetAsideAccepted(&reports);
  const Findings& findings = reports[0];
  ASSERT_EQ(findings.leaks.size(), 2u);
  EXPECT_EQ(findings.leaks[0].baseline->state, State::kNew);
  EXPECT_EQ(findings.leaks[1].baseline->state, State::kGrown);
  EXPECT_EQ(findings.leaks[1].baseline->blocks, 2u);
  EXPECT_EQ(findings.known_leaks, 1u);
  EXPECT_EQ(findings.leak_blocks, 4u);
  EXPECT_EQ(findings.verdict.status, Status::kLeaks);
  ASSERT_TRUE(findings.baseline.has_value());
  EXPECT_EQ(findings.baseline->fresh, 1u);
  EXPECT_EQ(findings.baseline->grown, 1u);
  EXPECT_EQ(findings.baseline->known, 1u);
  EXPECT_EQ(findings.baseline->gone, 1u);
  EXPECT_EQ(FailOn().ExitStatus(findings), kExitLeaks);
}

TEST(Baseline, ThatKnowsAllLeavesNothingToFail) {
  std::vector<Findings> reports = {With({Some("a", 1, 1), Some("b", 1, 1, LeakClass::kUnknown)})};
  CompareWithBaseline({Some("a", 1, 1), Some("b", 1, 1)}, "old.json", &reports);
  SetAsideAccepted(&reports);
  EXPECT_EQ(reports[0].verdict.status, Status::kClean);
  EXPECT_EQ(FailOn().ExitStatus(reports[0]), kExitClean);
  EXPECT_EQ(FailOn::Parse("any")->ExitStatus(reports[0]), kExitClean);
}

TEST(Baseline, WhatGrowsInOneClassLeavesWorseOnesKnown) {
  std::vector<Findings> reports = {With({Some("a", 1, 1), Some("a", 9, 9, LeakClass::kReachable)})};
  CompareWithBaseline({Some("a", 1, 1), Some("a", 2, 2, LeakClass::kReachable)}, "old.json", &reports);
  SetAsideAccepted(&reports);
  EXPECT_EQ(FailOn().ExitStatus(reports[0]), kExitClean);
  EXPECT_EQ(FailOn::Parse("reachable")->ExitStatus(reports[0]), kExitLeaks);
}

TEST(Baseline, LeaksOfAllProcessesAreOneSum) {
  std::vector<Findings> reports = {With({Some("a", 1, 1)})};
  reports[0].children = {With({Some("a", 1, 1)})};
  CompareWithBaseline({Some("a", 2, 2)}, "old.json", &reports);
  EXPECT_EQ(reports[0].children[0].leaks[0].baseline->state, State::kKnown);
  CompareWithBaseline({Some("a", 1, 1)}, "old.json", &reports);
  EXPECT_EQ(reports[0].leaks[0].baseline->state, State::kGrown);
}

TEST(Baseline, SuppressedLeaksAndReplacedImagesAreNotCompared) {
  std::vector<Findings> reports = {With({Some("a", 1, 1)}), With({Some("b", 1, 1, LeakClass::kUnknown)})};
  reports[0].leaks[0].suppressed_by = "x";
  reports[1].process.exit = {ProcessExit::Kind::kExec, 0, "/bin/ls"};
  CompareWithBaseline({}, "old.json", &reports);
  EXPECT_EQ(reports[0].baseline->fresh, 0u);
  EXPECT_FALSE(reports[0].leaks[0].baseline.has_value());
  EXPECT_FALSE(reports[1].leaks[0].baseline.has_value());
}

}  // namespace
}  // namespace mallocspy

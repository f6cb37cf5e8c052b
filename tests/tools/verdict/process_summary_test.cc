#include "tools/verdict/process_summary.h"

#include <gtest/gtest.h>

#include "tests/tools/report/sample_findings.h"

namespace mallocspy {
namespace {

TEST(ProcessSummary, TheSameIdAndClassIsOneLeak) {
  std::vector<Findings> reports = {SampleClasses(1)};
  reports[0].children = {SampleClasses(2), SampleLeaks(3)};
  const ProcessSummary summary = Summarize(reports);
  EXPECT_EQ(summary.processes, 3u);
  EXPECT_EQ(summary.status, Status::kLeaks);
  ASSERT_EQ(summary.leaks.size(), 5u);
  const MergedLeak& definite = summary.leaks[0];
  EXPECT_EQ(definite.leak.leak_class, LeakClass::kDefinite);
  EXPECT_EQ(definite.leak.blocks, 4u);
  EXPECT_EQ(definite.leak.bytes, 160u);
  EXPECT_EQ(definite.in, (std::vector<const Findings*>{&reports[0], &reports[0].children[0]}));
  EXPECT_EQ(summary.leaks[1].leak.leak_class, LeakClass::kPossible);
  EXPECT_EQ(summary.leaks[2].leak.leak_class, LeakClass::kUnknown);  // 80 bytes, of an id that is definite elsewhere
  EXPECT_EQ(summary.leaks[2].in.size(), 1u);
  EXPECT_EQ(summary.leaks[4].leak.leak_class, LeakClass::kReachable);
  EXPECT_EQ(summary.Of(LeakClass::kDefinite).bytes, 160u);
}

TEST(ProcessSummary, TwiceInOneProcessIsOneProcess) {
  std::vector<Findings> reports = {SampleLeaks(1)};
  reports[0].leaks[1] = reports[0].leaks[0];
  reports[0].leaks[1].mark = 7;
  const ProcessSummary summary = Summarize(reports);
  ASSERT_EQ(summary.leaks.size(), 1u);
  EXPECT_EQ(summary.leaks[0].in.size(), 1u);
  EXPECT_EQ(summary.leaks[0].leak.blocks, 4u);
  EXPECT_FALSE(summary.leaks[0].leak.mark.has_value());
}

TEST(ProcessSummary, WhatIsNotListedStaysCounted) {
  std::vector<Findings> reports = {SampleLeaks(1)};
  reports[0].children = {SampleLeaks(2)};
  const ProcessSummary summary = Summarize(reports);
  EXPECT_EQ(summary.unlisted_leaks, 2u);
  EXPECT_EQ(summary.unlisted.blocks, 4u);
  EXPECT_EQ(summary.unlisted.bytes, 8u);
}

TEST(ProcessSummary, ErrorsOfOneKindAndPlaceAreOne) {
  std::vector<Findings> reports = {SampleErrors(1)};
  reports[0].children = {SampleErrors(2), SampleErrors(3)};
  reports[0].children[0].errors[0].address += 64;
  reports[0].children[1].errors[0].where[0].function = "elsewhere";
  const ProcessSummary summary = Summarize(reports);
  ASSERT_EQ(summary.errors.size(), 3u);
  EXPECT_EQ(summary.errors[0].error.count, 6u);
  EXPECT_EQ(summary.errors[0].in.size(), 2u);
  EXPECT_EQ(summary.errors[1].in.size(), 3u);
}

TEST(ProcessSummary, TheStatusIsTheWorstOfTheJudged) {
  const std::vector<Findings> by_rank = {SampleClean(1), SampleIncomplete(2), SampleLeaks(3), SampleErrors(4)};
  for (size_t worst = 0; worst < by_rank.size(); ++worst) {
    std::vector<Findings> reports = {SampleClean(9)};
    for (size_t i = 0; i < by_rank.size(); ++i) {
      reports[0].children.push_back(by_rank[by_rank.size() - 1 - i]);
      reports[0].children.back().verdict.judged = by_rank.size() - 1 - i <= worst;
    }
    const ProcessSummary summary = Summarize(reports);
    EXPECT_EQ(summary.status, by_rank[worst].verdict.status) << worst;
    EXPECT_EQ(summary.judged, worst + 2) << worst;
    EXPECT_EQ(summary.not_judged.size(), by_rank.size() - 1 - worst) << worst;
  }
}

TEST(ProcessSummary, WhatIsNoFaultIsToldApart) {
  std::vector<Findings> reports = {SampleClean(1)};
  reports[0].children = {SampleLeaks(2), SampleIncomplete(3), SampleClean(2), SampleIncomplete(4)};
  reports[0].children[0].process.exit = {ProcessExit::Kind::kExec, 0, "/bin/ls"};
  reports[0].children[1].verdict.unchecked = false;
  reports[0].children[1].verdict.interrupted = true;
  reports[0].children[3].verdict.judged = false;
  reports[0].children[3].verdict.unseen = true;
  const ProcessSummary summary = Summarize(reports);
  EXPECT_EQ(summary.processes, 4u);
  EXPECT_EQ(summary.replaced.size(), 1u);
  EXPECT_EQ(summary.unfinished.size(), 1u);
  EXPECT_EQ(summary.clean.size(), 2u);
  EXPECT_EQ(summary.subjects, (std::vector<const Findings*>{&reports[0].children[3]}));
  EXPECT_EQ(summary.status, Status::kIncomplete);
  EXPECT_TRUE(summary.leaks.empty());
}

}  // namespace
}  // namespace mallocspy

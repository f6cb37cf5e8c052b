#include "tools/verdict/fail_on.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace mallocspy {
namespace {

using ::testing::HasSubstr;

FailOn Parse(const char* list) {
  const absl::StatusOr<FailOn> fail_on = FailOn::Parse(list);
  EXPECT_TRUE(fail_on.ok()) << fail_on.status();
  return fail_on.ok() ? *fail_on : FailOn();
}

std::string ErrorOf(const char* list) { return std::string(FailOn::Parse(list).status().message()); }

Findings WithLeak(LeakClass leak_class) {
  Findings findings;
  Leak leak;
  leak.leak_class = leak_class;
  leak.blocks = 1;
  findings.Of(leak_class).blocks = 1;
  findings.leaks.push_back(leak);
  findings.leak_groups = 1;
  return findings;
}

Findings WithError() {
  Findings findings;
  findings.errors.emplace_back();
  return findings;
}

TEST(FailOn, NamesTheNearestWord) {
  EXPECT_THAT(ErrorOf("definit"), HasSubstr("did you mean 'definite'?"));
  EXPECT_THAT(ErrorOf("errors,"), HasSubstr("'' is not one of none, any"));
  EXPECT_THAT(ErrorOf("none,errors"), HasSubstr("cannot be combined"));
}

TEST(FailOn, DefaultIsErrorsAndDefiniteLeaks) {
  EXPECT_EQ(FailOn().ExitStatus(WithError()), kExitErrors);
  EXPECT_EQ(FailOn().ExitStatus(WithLeak(LeakClass::kDefinite)), kExitLeaks);
  EXPECT_EQ(FailOn().ExitStatus(WithLeak(LeakClass::kIndirect)), kExitLeaks);
  EXPECT_EQ(FailOn().ExitStatus(WithLeak(LeakClass::kPossible)), kExitClean);
  EXPECT_EQ(FailOn().ExitStatus(WithLeak(LeakClass::kReachable)), kExitClean);
  EXPECT_EQ(FailOn().ExitStatus(WithLeak(LeakClass::kUnknown)), kExitIncomplete);
  EXPECT_EQ(FailOn().ExitStatus(Findings()), kExitClean);
}

Findings Unchecked() {
  Findings findings;
  findings.verdict.unchecked = true;
  return findings;
}

// The order that the README promises: errors, leaks, an incomplete check, nothing.
TEST(FailOn, TheStatusIsTheWorstOfAllProcesses) {
  const std::vector<std::pair<Findings, int>> by_rank = {{Findings(), kExitClean},
                                                         {Unchecked(), kExitIncomplete},
                                                         {WithLeak(LeakClass::kDefinite), kExitLeaks},
                                                         {WithError(), kExitErrors}};
  for (size_t first = 0; first < by_rank.size(); ++first) {
    for (size_t child = 0; child < by_rank.size(); ++child) {
      Findings findings = by_rank[first].first;
      findings.children = {Findings(), by_rank[child].first, Findings()};
      EXPECT_EQ(FailOn().ExitStatus(findings), by_rank[std::max(first, child)].second) << first << " " << child;
      findings.children[1].verdict.judged = false;
      EXPECT_EQ(FailOn().ExitStatus(findings), by_rank[first].second) << first << " " << child;
    }
  }
}

TEST(FailOn, WhoIsNotJudgedMayHaveStartedWhatNobodySaw) {
  Findings findings;
  findings.children = {Unchecked()};
  findings.children[0].verdict.judged = false;
  findings.children[0].verdict.unseen = true;
  EXPECT_EQ(FailOn().ExitStatus(findings), kExitIncomplete);
}

TEST(FailOn, AnyFailsOnEveryLiveBlockAndOnErrors) {
  EXPECT_EQ(Parse("any").ExitStatus(WithLeak(LeakClass::kUnknown)), kExitLeaks);
  EXPECT_EQ(Parse("any").ExitStatus(WithLeak(LeakClass::kReachable)), kExitLeaks);
  EXPECT_EQ(Parse("any").ExitStatus(WithError()), kExitErrors);
  EXPECT_EQ(Parse("any").ExitStatus(Findings()), kExitClean);
  Findings unlisted = WithLeak(LeakClass::kUnknown);
  unlisted.leaks.clear();  // --top=0
  EXPECT_EQ(Parse("any").ExitStatus(unlisted), kExitLeaks);
}

TEST(FailOn, ClassesFailByThemselves) {
  EXPECT_EQ(Parse("definite").ExitStatus(WithLeak(LeakClass::kDefinite)), kExitLeaks);
  EXPECT_EQ(Parse("definite").ExitStatus(WithLeak(LeakClass::kIndirect)), kExitLeaks);
  EXPECT_EQ(Parse("definite").ExitStatus(WithLeak(LeakClass::kPossible)), kExitClean);
  EXPECT_EQ(Parse("definite,possible").ExitStatus(WithLeak(LeakClass::kPossible)), kExitLeaks);
  EXPECT_EQ(Parse("reachable").ExitStatus(WithLeak(LeakClass::kReachable)), kExitLeaks);
  EXPECT_EQ(Parse("definite").ExitStatus(WithError()), kExitClean);
}

TEST(FailOn, AskingForAClassThatIsNotKnownIsIncomplete) {
  EXPECT_EQ(Parse("definite").ExitStatus(WithLeak(LeakClass::kUnknown)), kExitIncomplete);
  EXPECT_EQ(Parse("definite").ExitStatus(Findings()), kExitClean);
  Findings replaced = WithLeak(LeakClass::kUnknown);
  replaced.process.exit.kind = ProcessExit::Kind::kExec;
  EXPECT_EQ(Parse("definite").ExitStatus(replaced), kExitClean) << "it had not come to its end";
  EXPECT_EQ(Parse("any").ExitStatus(replaced), kExitLeaks);
  Findings parent;
  parent.children.push_back(WithLeak(LeakClass::kUnknown));
  EXPECT_EQ(Parse("definite").ExitStatus(parent), kExitIncomplete);
  parent.children[0].verdict.interrupted = true;
  EXPECT_EQ(Parse("definite").ExitStatus(parent), kExitClean) << "a killed helper is ordinary";
}

TEST(FailOn, ErrorsComeBeforeLeaksBeforeIncomplete) {
  Findings all = WithLeak(LeakClass::kUnknown);
  all.errors.emplace_back();
  all.verdict.unchecked = true;
  EXPECT_EQ(Parse("any").ExitStatus(all), kExitErrors);
  all.errors.clear();
  EXPECT_EQ(Parse("any").ExitStatus(all), kExitLeaks);
  EXPECT_EQ(Parse("errors").ExitStatus(all), kExitIncomplete);
}

TEST(FailOn, NoneNeverFails) {
  Findings all = WithLeak(LeakClass::kDefinite);
  all.errors.emplace_back();
  all.verdict.unchecked = true;
  EXPECT_EQ(Parse("none").ExitStatus(all), kExitClean);
}

TEST(FailOn, ErrorsThatWereDroppedCount) {
  Findings findings;
  findings.totals.errors_dropped = 1;
  EXPECT_EQ(FailOn().ExitStatus(findings), kExitErrors);
}

TEST(FailOn, ChildrenCount) {
  Findings parent;
  parent.children.push_back(WithError());
  EXPECT_EQ(FailOn().ExitStatus(parent), kExitErrors);
  parent.children[0] = WithLeak(LeakClass::kUnknown);
  EXPECT_EQ(Parse("any").ExitStatus(parent), kExitLeaks);
  parent.children[0] = Findings();
  parent.children[0].verdict.unchecked = true;
  EXPECT_EQ(FailOn().ExitStatus(parent), kExitIncomplete);
}

TEST(FailOn, AKilledHelperIsOrdinaryAKilledProgramIsNot) {
  Findings parent;
  parent.children.emplace_back().verdict.interrupted = true;
  EXPECT_EQ(FailOn().ExitStatus(parent), kExitClean);
  parent.verdict.interrupted = true;
  EXPECT_EQ(FailOn().ExitStatus(parent), kExitIncomplete);
}

}  // namespace
}  // namespace mallocspy

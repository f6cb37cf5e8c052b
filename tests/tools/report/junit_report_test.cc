#include "tools/report/junit_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/report/sample_findings.h"

namespace mallocspy {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

std::string Report(const std::vector<Findings>& reports) {
  return JunitReport(reports, {"2026-11-23T02:53:51", "host"});
}

TEST(JunitReport, CleanIsATestThatPassed) {
  EXPECT_EQ(Report({SampleClean(42)}), R"(<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite id="0" package="mallocspy" name="prog" timestamp="2026-11-23T02:53:51" hostname="host" tests="1" failures="0" errors="0" time="0">
    <properties>
      <property name="verdict" value="clean"/>
      <property name="pid" value="42"/>
      <property name="exe" value="/opt/prog"/>
      <property name="argument" value="prog"/>
      <property name="argument" value="-x"/>
    </properties>
    <testcase classname="mallocspy.prog" name="heap check" time="0"/>
    <system-out>mallocspy: clean: prog (pid 42) freed every block, and no heap error was met
Receipt of pid 42:
  3 allocations of 60 bytes
  3 frees
  40 bytes at the peak
  1 stack
</system-out>
    <system-err></system-err>
  </testsuite>
</testsuites>
)");
}

TEST(JunitReport, EachLeakIsAFailureWithItsStack) {
  const std::string report = Report({SampleLeaks(42)});
  EXPECT_THAT(report, HasSubstr(R"( tests="3" failures="3" errors="0" )"));
  EXPECT_THAT(report, HasSubstr(R"xml(
    <testcase classname="mallocspy.prog" name="leak 00000000000000aa in inner()" time="0">
      <failure type="leak-unknown" message="leak of 80 bytes in 2 blocks, made by new[]">leak of 80 bytes in 2 blocks, made by new[]
    #0 0x555555555010 in inner() /src/a.cc:3
    #1 0x555555555010 in outer() /src/b.cc:14:7
    #2 0x555555556020 in main (/opt/prog+0x2020) (BuildId: 0123abcd)
</failure>
    </testcase>
    <testcase classname="mallocspy.prog" name="leak 00000000000000bb in /opt/prog" time="0">
)xml"));
  EXPECT_THAT(report, HasSubstr(R"( name="more leaks" time="0">
      <failure type="unlisted" message="1 smaller leak of 4 bytes in 2 blocks; --top=N lists more"></failure>)"));
}

TEST(JunitReport, EachErrorIsAFailureWithAllStacks) {
  Findings findings = SampleErrors(42);
  findings.totals.errors_dropped = 7;
  const std::string report = Report({findings});
  EXPECT_THAT(report, HasSubstr(R"(name="heap-overflow in use" time="0">
      <failure type="heap-overflow" message="heap-overflow behind )"));
  EXPECT_THAT(report, HasSubstr("  freed first here:\n    #0 0x555555554040 in first /src/a.cc:11\n"));
  EXPECT_THAT(report, HasSubstr(R"(message="7 heap errors of which only the number is known")"));
}

TEST(JunitReport, IncompleteIsAnError) {
  const std::string report = Report({SampleIncomplete(42)});
  EXPECT_THAT(report, HasSubstr(R"( tests="1" failures="0" errors="1" )"));
  EXPECT_THAT(report, HasSubstr(R"( name="heap check" time="0">
      <error type="incomplete" message="incomplete: prog (pid 42) was not checked whole: a child left no record">)"));
}

TEST(JunitReport, WhatIsStillReachablePassesAndIsShown) {
  const std::string report = Report({SampleEveryClass(42)});
  EXPECT_THAT(report, HasSubstr(R"( tests="5" failures="4" errors="0" )"));
  EXPECT_THAT(report, HasSubstr("still reachable memory of 14 bytes in 2 blocks, made by new[]\n    #0 "));
}

TEST(JunitReport, WhatIsAcceptedPassesAndIsShown) {
  const std::string report = Report({SampleAccepted(42)});
  EXPECT_THAT(report, HasSubstr("tests=\"2\" failures=\"0\" errors=\"0\""));
  EXPECT_THAT(report, HasSubstr("name=\"leak 00000000000000aa in inner()\" time=\"0\"/>"));
  EXPECT_THAT(report, HasSubstr("\nsuppressed by plugins: one for each plugin\ndefinite leak of 80 bytes in 2 blocks"));
  EXPECT_THAT(report, HasSubstr("\nknown from the baseline\npossible leak of 5 bytes"));
  EXPECT_THAT(report, HasSubstr("  1 suppression matched nothing: stale (a.supp:9).\n"));
}

TEST(JunitReport, NamesOfCasesAreNeverTheSame) {
  Findings findings = SampleErrors(42);
  findings.errors.push_back(findings.errors[0]);
  findings.errors.back().allocated[0].function = "make_other";
  const std::string report = Report({findings});
  EXPECT_THAT(report, HasSubstr("name=\"heap-overflow in use\""));
  EXPECT_THAT(report, HasSubstr("name=\"heap-overflow in use (2)\""));
}

TEST(JunitReport, EachProgramIsASuite) {
  Findings findings = SampleClean(42);
  findings.children = {SampleLeaks(43)};
  findings.children[0].process.cmdline = {"/usr/bin/child"};
  const std::string report = Report({findings, SampleClean(44)});
  EXPECT_THAT(report, HasSubstr("<testsuite id=\"1\" package=\"mallocspy\" name=\"child\""));
  EXPECT_THAT(report, HasSubstr("<property name=\"processes\" value=\"2\"/>"));
  EXPECT_THAT(report, Not(HasSubstr("<testsuite id=\"2\"")));
}

TEST(JunitReport, ALeakOfManyProcessesIsOneFailure) {
  Findings findings = SampleClean(1);
  for (uint32_t pid = 2; pid < 102; ++pid) findings.children.push_back(SampleLeaks(pid));
  const std::string report = Report({findings});
  EXPECT_THAT(report, HasSubstr(R"( tests="3" failures="3" errors="0" )"));
  EXPECT_THAT(report, HasSubstr(R"(message="leak of 8000 bytes in 200 blocks, made by new[], in 100 processes")"));
}

TEST(JunitReport, WhatIsNotJudgedCannotFail) {
  Findings findings = SampleClean(42);
  findings.children = {SampleLeaks(43), SampleErrors(44), SampleLeaks(45)};
  for (Findings& child : findings.children) child.verdict.judged = false;
  findings.children[2].verdict.judged = true;  // an image that went on as something else
  findings.children[2].process.exit = {ProcessExit::Kind::kExec, 0, "/bin/ls"};
  const std::string report = Report({findings});
  EXPECT_THAT(report, HasSubstr(R"( tests="1" failures="0" errors="0" )"));
  EXPECT_THAT(report, Not(HasSubstr("<testsuite id=\"1\"")));
}

TEST(JunitReport, NamesAreData) {
  const std::string report = Report({SampleNamed(42, "</failure>\"&\x1b\n\xff")});
  EXPECT_THAT(report, Not(HasSubstr("</failure>\"")));
  EXPECT_THAT(report, HasSubstr("&lt;/failure&gt;&quot;&amp;\\x1b"));
}

TEST(JunitReport, TheStampHasTheSchemasForm) {
  const JunitStamp stamp = JunitStamp::Now();
  EXPECT_THAT(stamp.time, MatchesRegex("....-..-..T..:..:.."));
  EXPECT_FALSE(stamp.host.empty());
}

}  // namespace
}  // namespace mallocspy

#include "tools/report/github_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/tools/report/sample_findings.h"

namespace mallocspy {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string Report(const std::vector<Findings>& reports, const char* directory = "/src") {
  SourceRoot root(directory);
  return GithubReport(reports, &root);
}

TEST(GithubReport, Leaks) {
  EXPECT_EQ(Report({SampleLeaks(42)}),
            "::error file=a.cc,line=3,title=mallocspy%3A leak of 80 bytes in 2 blocks%2C made by new[]::"
            "leak of 80 bytes in 2 blocks, made by new[]%0A"
            "    #0 0x555555555010 in inner() /src/a.cc:3%0A"
            "    #1 0x555555555010 in outer() /src/b.cc:14:7%0A"
            "    #2 0x555555556020 in main (/opt/prog+0x2020) (BuildId: 0123abcd)\n"
            "::error title=mallocspy%3A leak of 5 bytes in 1 block%2C made by malloc::"
            "leak of 5 bytes in 1 block, made by malloc%0A"
            "    #0 0x555555557030 (/opt/prog+0x3030) (BuildId: 0123abcd)%0A"
            "    #1 0x7fff12345678 (code of no module)\n"
            "::notice title=mallocspy%3A more::1 more finding; the other formats of the report list them\n");
}

TEST(GithubReport, ErrorsStandWhereTheyWereMet) {
  const std::string report = Report({SampleErrors(42)});
  EXPECT_THAT(report, StartsWith("::error file=a.cc,line=9,title=mallocspy%3A heap-overflow::heap-overflow behind "));
  EXPECT_THAT(report, HasSubstr("%0Aallocated here:%0A    #0 0x555555554020 in make /src/a.cc:5\n"));
}

TEST(GithubReport, ThePlaceIsTheInnermostBelowTheRoot) {
  Findings findings = SampleLeaks(42);
  findings.leaks[0].frames[0].file = "/usr/include/inner.h";
  EXPECT_THAT(Report({findings}), StartsWith("::error file=b.cc,line=14,col=7,title="));
  EXPECT_THAT(Report({findings}, "/elsewhere"), StartsWith("::error title="));
}

TEST(GithubReport, LevelsFollowTheClass) {
  const std::string report = Report({SampleEveryClass(42)});
  EXPECT_THAT(report, HasSubstr("::error file=a.cc,line=3,title=mallocspy%3A definite leak"));
  EXPECT_THAT(report, HasSubstr("::warning file=a.cc,line=3,title=mallocspy%3A possible leak"));
  EXPECT_THAT(report, HasSubstr("::notice file=a.cc,line=3,title=mallocspy%3A still reachable memory"));
  EXPECT_LT(report.find("title=mallocspy%3A leak of"), report.find("::warning"));
}

TEST(GithubReport, AtMostTenAndANumberOfTheOthers) {
  Findings findings = SampleErrors(42);
  for (int i = 0; i < 30; ++i) {
    findings.leaks.push_back(SampleLeaks(42).leaks[0]);
    findings.leaks.back().id = std::to_string(i);
  }
  findings.leak_groups = 35;
  const std::string report = Report({findings, SampleIncomplete(43)});
  EXPECT_EQ(std::count(report.begin(), report.end(), '\n'), 11);
  EXPECT_THAT(report, StartsWith("::error title=mallocspy%3A incomplete::incomplete: prog (pid 43) was not checked"));
  EXPECT_THAT(report, HasSubstr("\n::notice title=mallocspy%3A more::28 more findings; "));
}

TEST(GithubReport, CleanIsSaid) {
  EXPECT_EQ(Report({SampleClean(42)}),
            "::notice title=mallocspy%3A clean::clean: prog (pid 42) freed every block, and no heap error was met\n");
  EXPECT_EQ(Report({SampleClean(42), SampleClean(43)}),
            "::notice title=mallocspy%3A clean::clean: 2 processes freed every block, and no heap error was met\n");
}

TEST(GithubReport, WhatProcessesShareIsOneAnnotation) {
  Findings findings = SampleErrors(42);
  findings.children = {SampleErrors(43), SampleLeaks(44), SampleLeaks(45), SampleErrors(46)};
  findings.children[3].verdict.judged = false;
  const std::string report = Report({findings});
  EXPECT_EQ(std::count(report.begin(), report.end(), '\n'), 5);
  EXPECT_THAT(report, HasSubstr("::double-free of 0x602000000020, in 2 processes%0A"));
  EXPECT_THAT(report, HasSubstr("::leak of 160 bytes in 4 blocks, made by new[], in 2 processes%0A"));
}

TEST(GithubReport, AcceptedLeaksAreNoAnnotations) {
  EXPECT_THAT(Report({SampleAccepted(42)}),
              StartsWith("::notice title=mallocspy%3A clean::clean: no new leaks, 1 known from the baseline, 1 suppressed"));
  EXPECT_THAT(Report({SampleAccepted(42)}), Not(HasSubstr("::error")));
}

TEST(GithubReport, LongStacksAreCut) {
  Findings findings = SampleLeaks(42);
  findings.leaks[0].frames.assign(40, SampleFrame(1, "f", "/src/a.cc", 1));
  EXPECT_THAT(Report({findings}), HasSubstr("#15 0x555555554001 in f /src/a.cc:1%0A    ... and 24 more frames\n"));
}

TEST(GithubReport, NamesCannotEndAPropertyOrALine) {
  Findings findings = SampleLeaks(42);
  findings.leaks[0].frames[0].file = "/src/a,b:c%0A\n.cc";
  findings.leaks[0].frames[0].function = "f\n::error::forged";
  const std::string report = Report({findings});
  EXPECT_THAT(report, StartsWith("::error file=a%2Cb%3Ac%250A\\x0a.cc,line=3,title="));
  EXPECT_THAT(report, Not(HasSubstr("\n::error::forged")));
}

}  // namespace
}  // namespace mallocspy

#include "tools/verdict/judged_programs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <utility>

namespace mallocspy {
namespace {

using ::testing::HasSubstr;

Findings Ran(const char* exe, std::vector<std::string> own_libraries = {}) {
  Findings findings;
  findings.process.exe = exe;
  findings.process.interposed = true;
  findings.process.own_libraries = std::move(own_libraries);
  return findings;
}

// Of the first process and its children: 'j' for each that is judged, '-' for each that is not.
std::string Judged(std::initializer_list<const char*> values, std::vector<Findings> processes) {
  JudgedPrograms judged;
  for (const char* const value : values) EXPECT_TRUE(judged.Add(value).ok());
  Findings first = std::move(processes[0]);
  processes.erase(processes.begin());
  first.children = std::move(processes);
  std::vector<Findings> reports = {std::move(first)};
  if (!judged.Apply(&reports).ok()) return "no match";
  std::string marks;
  for (const Findings* process : EveryProcess(reports)) marks += process->verdict.judged ? 'j' : '-';
  return marks;
}

TEST(JudgedPrograms, TheUsersOwnAndNotWhatRanThem) {
  EXPECT_EQ(
      Judged({}, {Ran("/usr/bin/ctest"), Ran("/home/u/build/test"), Ran("/usr/bin/bash"), Ran("/usr/local/bin/cmake")}),
      "-j--");
  EXPECT_EQ(Judged({}, {Ran("/home/u/driver"), Ran("/usr/bin/jq")}), "j-");
  EXPECT_EQ(Judged({"own"}, {Ran("/usr/bin/make"), Ran("/opt/app/bin/app")}), "-j");
}

TEST(JudgedPrograms, WithoutOwnOnesWhatWasAskedForAndWhatIsNoDriver) {
  EXPECT_EQ(Judged({}, {Ran("/usr/bin/jq")}), "j");
  EXPECT_EQ(Judged({}, {Ran("/usr/bin/bash"), Ran("/usr/bin/jq"), Ran("/usr/bin/sed")}), "jjj");
  EXPECT_EQ(Judged({}, {Ran("/usr/bin/make"), Ran("/usr/bin/dash"), Ran("/usr/bin/x86_64-linux-gnu-gcc-12"),
                        Ran("/usr/bin/make")}),
            "j--j");
  EXPECT_EQ(Judged({}, {Ran("")}), "j");
}

TEST(JudgedPrograms, AnInterpreterWithALibraryOfTheUsers) {
  EXPECT_EQ(Judged({}, {Ran("/usr/bin/ctest"), Ran("/usr/bin/python3", {"/home/u/ext.so"}), Ran("/usr/bin/python3")}),
            "-j-");
}

TEST(JudgedPrograms, ALibraryOfAllProcessesWasPreloaded) {
  const std::vector<std::string> spy = {"/home/u/spy.so"};
  EXPECT_EQ(Judged({}, {Ran("/usr/bin/ctest", spy), Ran("/home/u/test", spy), Ran("/usr/bin/dash", spy)}), "-j-");
  Findings not_recorded;
  EXPECT_EQ(Judged({}, {Ran("/usr/bin/ctest", spy), Ran("/home/u/test", spy), not_recorded}), "-j-");
}

TEST(JudgedPrograms, Patterns) {
  const std::vector<Findings> processes = {Ran("/usr/bin/ctest"), Ran("/home/u/build/a_test"),
                                           Ran("/home/u/build/tool"), Ran("/usr/bin/jq")};
  EXPECT_EQ(Judged({"*_test"}, processes), "-j--");
  EXPECT_EQ(Judged({"*_test,jq"}, processes), "-j-j");
  EXPECT_EQ(Judged({"*_test", "ctest"}, processes), "jj--");
  EXPECT_EQ(Judged({"*/build/*"}, processes), "-jj-");
  EXPECT_EQ(Judged({"own,jq"}, processes), "-jjj");
  EXPECT_EQ(Judged({"all"}, processes), "jjjj");
  EXPECT_EQ(Judged({"build"}, processes), "no match");
}

TEST(JudgedPrograms, NobodyIsLeftOutWhenNothingMatches) {
  JudgedPrograms judged;
  ASSERT_TRUE(judged.Add("tset").ok());
  std::vector<Findings> reports = {Ran("/home/u/test")};
  EXPECT_THAT(std::string(judged.Apply(&reports).message()), HasSubstr("--judge=tset: no program of this name ran"));
  EXPECT_TRUE(reports[0].verdict.judged);
  EXPECT_FALSE(judged.Add("a,,b").ok());
}

TEST(JudgedPrograms, WhoNamesHisProgramsKnowsWhatElseRuns) {
  Findings unseen = Ran("/usr/bin/sudo");
  unseen.verdict.unseen = true;
  for (const auto& [value, left] : {std::pair("test", false), std::pair("own", true)}) {
    JudgedPrograms judged;
    ASSERT_TRUE(judged.Add(value).ok());
    std::vector<Findings> reports = {Ran("/home/u/test")};
    reports[0].children = {unseen};
    ASSERT_TRUE(judged.Apply(&reports).ok());
    EXPECT_FALSE(reports[0].children[0].verdict.judged);
    EXPECT_EQ(reports[0].children[0].verdict.unseen, left) << value;
  }
}

}  // namespace
}  // namespace mallocspy

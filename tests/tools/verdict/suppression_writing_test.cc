#include "tools/verdict/suppression_writing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/verdict/accepted_leaks.h"
#include "tools/verdict/suppressing.h"
#include "tools/verdict/suppression_file.h"

namespace mallocspy {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Leak Through(const std::vector<std::string>& functions, Door door = Door::kMalloc,
             LeakClass leak_class = LeakClass::kDefinite) {
  Leak leak;
  leak.id = "0123456789abcdef";
  leak.leak_class = leak_class;
  leak.door = door;
  leak.blocks = 2;
  leak.bytes = 30;
  for (const std::string& function : functions) {
    leak.frames.emplace_back().function = function;
    leak.frames.back().module = "/opt/prog";
  }
  return leak;
}

std::vector<Findings> With(const std::vector<Leak>& leaks) {
  std::vector<Findings> reports(1);
  reports[0].leaks = leaks;
  reports[0].leak_groups = leaks.size();
  return reports;
}

// What is left of `leaks` when the suppressions that are written for them are read; each must be used.
size_t LeftBy(const std::vector<Leak>& leaks) {
  std::vector<Findings> reports = With(leaks);
  const std::string text = SuppressionsFor(reports, *FailOn::Parse("any"));
  const absl::StatusOr<std::vector<Suppression>> suppressions = ParseSuppressions(text, "written");
  EXPECT_TRUE(suppressions.ok()) << suppressions.status() << "\n" << text;
  if (!suppressions.ok()) return leaks.size();
  for (const SuppressionUse& use : Suppress(*suppressions, absl::CivilDay(2026, 11, 23), &reports)) {
    EXPECT_EQ(use.state, SuppressionUse::State::kUsed) << text;
  }
  SetAsideAccepted(&reports);
  return reports[0].leaks.size();
}

TEST(SuppressionWriting, AnEntry) {
  Leak leak = Through({"ns::make(int)", "", "__GI_strdup", "main", "_start"}, Door::kNew);
  leak.frames[0].symbol = "_ZN2ns4makeEi";
  EXPECT_EQ(SuppressionsFor(With({leak}), FailOn()), R"({
   mallocspy-0123456789abcdef
   Memcheck:Leak
   match-leak-kinds: definite,indirect
   #mallocspy: max-blocks=2 max-bytes=30 reason=say here why it is accepted
   fun:_Znw*
   fun:_ZN2ns4makeEi
   obj:*prog
   fun:*strdup
   fun:main
}
)");
}

TEST(SuppressionWriting, WhatIsNoLeakToTheVerdictNeedsNone) {
  const std::vector<Findings> reports = With({Through({"f"}, Door::kMalloc, LeakClass::kReachable)});
  EXPECT_EQ(SuppressionsFor(reports, FailOn()), "");
  EXPECT_THAT(SuppressionsFor(reports, *FailOn::Parse("reachable")), HasSubstr("match-leak-kinds: reachable\n"));
  std::vector<Findings> replaced = With({Through({"f"}, Door::kMalloc, LeakClass::kUnknown)});
  EXPECT_THAT(SuppressionsFor(replaced, FailOn()), Not(HasSubstr("match-leak-kinds")));
  replaced[0].process.exit = {ProcessExit::Kind::kExec, 0, "/bin/ls"};
  EXPECT_EQ(SuppressionsFor(replaced, FailOn()), "");
}

TEST(SuppressionWriting, ReadBackItSilencesAll) {
  EXPECT_EQ(LeftBy({Through({"f", "main"}), Through({"f", "main"}, Door::kNew), Through({"f", "main"}, Door::kNewArray),
                    Through({"f", "main"}, Door::kAlignedMalloc), Through({"f", "main"}, Door::kTask),
                    Through({"f", "main"}, Door::kNone)}),
            0u);
  EXPECT_EQ(LeftBy({Through({"f"}), Through({"f", "main"}), Through({"f", "g", "main"}), Through({"g", "main"})}), 0u);
  EXPECT_EQ(LeftBy({Through({}), Through({}, Door::kNone), Through({"", ""}), Through({"f\ng"}), Through({" f "})}),
            0u);
  EXPECT_EQ(LeftBy({Through({"alloc", "f", "main"}), Through({"f", "main"}), Through({"malloc", "f", "main"})}), 0u);
  EXPECT_EQ(
      LeftBy({Through({"f"}, Door::kMalloc, LeakClass::kPossible), Through({"f"}, Door::kMalloc, LeakClass::kReachable),
              Through({"f"}, Door::kMalloc, LeakClass::kUnknown), Through({"f"})}),
      0u);
  EXPECT_EQ(LeftBy({Through({"f(int*)", "operator*(A, B)", "main"}), Through({"f(int?)", "main"})}), 0u);
}

TEST(SuppressionWriting, StacksThatDifferOnlyFarOutShareAnEntry) {
  std::vector<std::string> deep(40, "recurse"), deeper(50, "recurse");
  deep.emplace_back("main");
  deeper.emplace_back("main");
  EXPECT_EQ(LeftBy({Through(deep), Through(deeper), Through({"recurse", "main"})}), 0u);
}

}  // namespace
}  // namespace mallocspy

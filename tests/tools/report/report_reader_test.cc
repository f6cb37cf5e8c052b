#include "tools/report/report_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/report/sample_findings.h"
#include "tools/report/json_report.h"

namespace mallocspy {
namespace {

using ::testing::HasSubstr;

std::vector<Leak> Read(const std::vector<Findings>& reports) {
  absl::StatusOr<std::vector<Leak>> leaks = LeaksOfJsonReport(JsonReport(reports), "old.json");
  EXPECT_TRUE(leaks.ok()) << leaks.status();
  return leaks.ok() ? *std::move(leaks) : std::vector<Leak>();
}

std::string ErrorOf(const std::string& text) {
  return std::string(LeaksOfJsonReport(text, "old\x1b.json").status().message());
}

Findings WithAllListed(uint32_t pid) {
  Findings findings = SampleClasses(pid);
  findings.leak_groups = findings.leaks.size();
  return findings;
}

TEST(ReportReader, ReadsWhatWasWritten) {
  const Findings findings = WithAllListed(42);
  const std::vector<Leak> leaks = Read({findings});
  ASSERT_EQ(leaks.size(), 3u);
  for (size_t i = 0; i < leaks.size(); ++i) {
    EXPECT_EQ(leaks[i].id, findings.leaks[i].id);
    EXPECT_EQ(leaks[i].leak_class, findings.leaks[i].leak_class);
    EXPECT_EQ(leaks[i].blocks, findings.leaks[i].blocks);
    EXPECT_EQ(leaks[i].bytes, findings.leaks[i].bytes);
    ASSERT_EQ(leaks[i].frames.size(), findings.leaks[i].frames.size());
  }
  EXPECT_EQ(leaks[0].frames[1].function, "outer()");
  EXPECT_EQ(leaks[0].frames[1].file, "/src/b.cc");
  EXPECT_EQ(leaks[0].frames[1].line, 14);
  EXPECT_EQ(leaks[0].frames[1].module, "/opt/prog");
}

TEST(ReportReader, TakesAllProcessesButThoseThatExecReplaced) {
  Findings replaced = WithAllListed(43);
  replaced.process.exit = {ProcessExit::Kind::kExec, 0, "/bin/ls"};
  Findings first = SampleClean(42);
  first.children = {WithAllListed(44), replaced};
  EXPECT_EQ(Read({first}).size(), 3u);
}

TEST(ReportReader, SuppressedLeaksAreLeftOutAndKnownOnesAreNot) {
  const std::vector<Leak> leaks = Read({SampleAccepted(42)});
  ASSERT_EQ(leaks.size(), 1u);
  EXPECT_EQ(leaks[0].id, "00000000000000bb");
}

TEST(ReportReader, SaysWhatIsWrong) {
  EXPECT_THAT(ErrorOf(JsonReport(SampleLeaks(42))), HasSubstr("was made with --top and does not list every leak"));
  const std::string whole = JsonReport(WithAllListed(42));
  EXPECT_EQ(ErrorOf(whole.substr(0, whole.size() / 2)), "'old\\x1b.json' is not whole JSON: it was cut off or damaged");
  EXPECT_THAT(ErrorOf(""), HasSubstr("is not whole JSON"));
  for (const char* const foreign : {"{}", "[]", "3", R"({"schema": "other/1"})", R"({"schema": 1})"}) {
    EXPECT_THAT(ErrorOf(foreign), HasSubstr("no report of mallocspy")) << foreign;
  }
}

TEST(ReportReader, HostileReportsAreRefused) {
  const std::string head = R"({"schema": "mallocspy-report/1", "children": [], "leaks": )";
  for (const char* const leaks :
       {"null", "{}", "[3]", "[{}]", R"([{"id": "x", "blocks": 1, "bytes": 1, "frames": []}])",
        R"([{"id": "00000000000000aa", "blocks": -1, "bytes": 1, "frames": []}])",
        R"([{"id": "00000000000000aa", "blocks": 1e99, "bytes": 1, "frames": []}])",
        R"([{"id": "00000000000000aa", "blocks": 1, "bytes": 1, "frames": [3]}])"}) {
    EXPECT_THAT(ErrorOf(head + leaks + "}"), HasSubstr("contradicts the schema")) << leaks;
  }
  EXPECT_THAT(ErrorOf(R"({"schema": "mallocspy-report/1", "leaks": [], "children": [3]})"), HasSubstr("contradicts"));
  const auto odd = LeaksOfJsonReport(
      head + R"([{"id": "00000000000000aa", "blocks": 1, "bytes": 1, "frames": [{"line": -5, "offset": "x"}]}]})", "x");
  ASSERT_TRUE(odd.ok()) << odd.status();
  EXPECT_EQ((*odd)[0].frames[0].line, 0);
  EXPECT_THAT(ErrorOf(std::string(1000000, '[')), HasSubstr("is not whole JSON"));
}

}  // namespace
}  // namespace mallocspy

#include "tools/report/sarif_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/tools/report/sample_findings.h"

namespace mallocspy {
namespace {

using nlohmann::json;

json LogRun(const std::vector<Findings>& reports) {
  SourceRoot root("/src");
  return json::parse(SarifReport(reports, &root))["runs"][0];
}

TEST(SarifReport, SourcesAreRelativeToTheRoot) {
  EXPECT_EQ(LogRun({SampleClean(42)})["originalUriBaseIds"], json::parse(R"({"%SRCROOT%": {"uri": "file:///src/"}})"));
  SourceRoot unknown("");
  EXPECT_FALSE(json::parse(SarifReport({SampleLeaks(42)}, &unknown))["runs"][0].contains("originalUriBaseIds"));
}

TEST(SarifReport, Leak) {
  const json run = LogRun({SampleLeaks(42)});
  const json& leak = run["results"][0];
  EXPECT_EQ(leak["ruleId"], "leak-unknown");
  EXPECT_EQ(leak["message"]["text"], "leak of 80 bytes in 2 blocks, made by new[]");
  EXPECT_EQ(leak["partialFingerprints"], json::parse(R"({"mallocspyId/v1": "00000000000000aa"})"));
  EXPECT_EQ(leak["locations"].size(), 1u);
  EXPECT_EQ(leak["stacks"][0]["frames"].size(), 3u);
  EXPECT_EQ(leak["properties"], json::parse(R"({"blocks": 2, "bytes": 80, "processes": 1})"));
  EXPECT_EQ(run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"],
            "1 smaller leak of 4 bytes in 2 blocks; --top=N lists more");
}

TEST(SarifReport, WhatProcessesShareIsOneResultOfTheFirst) {
  Findings findings = SampleClean(42);
  findings.children = {SampleLeaks(43), SampleLeaks(44), SampleErrors(45)};
  findings.children[2].verdict.judged = false;
  const json run = LogRun({findings});
  EXPECT_EQ(run["invocations"].size(), 4u);
  ASSERT_EQ(run["results"].size(), 2u);
  EXPECT_EQ(run["results"][0]["properties"], json::parse(R"({"blocks": 4, "bytes": 160, "processes": 2})"));
  EXPECT_EQ(run["results"][0]["provenance"]["invocationIndex"], 1);
  EXPECT_EQ(run["results"][0]["message"]["text"], "leak of 160 bytes in 4 blocks, made by new[], in 2 processes");
}

TEST(SarifReport, AcceptedLeaksAreResultsThatCountForNothing) {
  const json run = LogRun({SampleAccepted(42)});
  EXPECT_EQ(run["results"][0]["suppressions"],
            json::parse(R"([{"kind": "external", "justification": "suppressed by plugins: one for each plugin"}])"));
  EXPECT_FALSE(run["results"][0].contains("baselineState"));
  EXPECT_EQ(run["results"][1]["suppressions"], json::array());
  EXPECT_EQ(run["results"][1]["baselineState"], "unchanged");
  const json& notifications = run["invocations"][0]["toolExecutionNotifications"];
  EXPECT_EQ(notifications[0]["message"]["text"],
            "suppressed: 2 blocks (80 bytes) by plugins (a.supp:3): one for each plugin.");
  Findings grown = SampleLeaks(42);
  grown.leaks[0].baseline = BaselineMatch{BaselineMatch::State::kGrown, 1, 1};
  grown.leaks[1].baseline = BaselineMatch{};
  const json results = LogRun({grown})["results"];
  EXPECT_EQ(results[0]["baselineState"], "updated");
  EXPECT_EQ(results[1]["baselineState"], "new");
}

TEST(SarifReport, ErrorHasTheOtherStacksAsRelatedPlaces) {
  const json error = LogRun({SampleErrors(42)})["results"][0];
  EXPECT_EQ(error["ruleId"], "heap-overflow");
  EXPECT_EQ(error["occurrenceCount"], 3);
  EXPECT_EQ(error["locations"][0]["physicalLocation"]["region"]["startLine"], 9);
  EXPECT_EQ(error["relatedLocations"][0]["message"]["text"], "allocated here:");
  EXPECT_EQ(error["relatedLocations"][0]["physicalLocation"]["region"]["startLine"], 5);
}

TEST(SarifReport, FingerprintsOfErrorsOutliveLinesAndAddresses) {
  Findings findings = SampleErrors(42);
  const json before = LogRun({findings})["results"];
  findings.errors[0].address += 16;
  findings.errors[0].where[0].line += 1;
  EXPECT_EQ(LogRun({findings})["results"][0]["partialFingerprints"], before[0]["partialFingerprints"]);
  findings.errors[0].where[0].function = "other";
  EXPECT_NE(LogRun({findings})["results"][0]["partialFingerprints"], before[0]["partialFingerprints"]);
}

TEST(SarifReport, InvocationsTellHowEachProcessEnded) {
  Findings findings = SampleClean(42);
  findings.process.exit = {ProcessExit::Kind::kCode, 3, ""};
  findings.children = {SampleIncomplete(43), SampleClean(44)};
  findings.children[1].process.exit = {ProcessExit::Kind::kExec, 0, "/bin/ls"};
  const json invocations = LogRun({findings})["invocations"];
  EXPECT_EQ(invocations[0]["exitCode"], 3);
  EXPECT_EQ(invocations[0]["executionSuccessful"], true);
  EXPECT_EQ(invocations[0]["commandLine"], "prog -x");
  EXPECT_EQ(invocations[0]["arguments"], json::parse(R"(["-x"])"));
  EXPECT_EQ(invocations[1]["exitSignalName"], "SIGKILL");
  EXPECT_EQ(invocations[1]["executionSuccessful"], false);
  EXPECT_EQ(invocations[1]["toolExecutionNotifications"][0]["level"], "error");
  EXPECT_EQ(invocations[2]["exitCodeDescription"], "replaced by /bin/ls");
}

TEST(SarifReport, AKindThatIsNotKnownGetsARule) {
  Findings findings = SampleErrors(42);
  findings.errors[0].kind = "new-kind";
  const json run = LogRun({findings});
  const size_t rule = run["results"][0]["ruleIndex"];
  EXPECT_EQ(run["tool"]["driver"]["rules"][rule]["id"], "new-kind");
}

TEST(SarifReport, MessagesHoldNoPlaceholdersAndNoLinks) {
  Findings findings = SampleErrors(42);
  findings.errors[0].kind = "spy-contract";
  findings.errors[0].detail = "{0} [x](1)\xff";
  EXPECT_EQ(LogRun({findings})["results"][0]["message"]["text"], "spy-contract: {{0}} [x] (1)\\xff");
}

}  // namespace
}  // namespace mallocspy

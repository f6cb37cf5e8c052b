#include "tools/report/json_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tests/tools/report/sample_findings.h"

namespace mallocspy {
namespace {

using nlohmann::json;

std::set<std::string> KeysOf(const json& object) {
  std::set<std::string> keys;
  for (const auto& item : object.items()) keys.insert(item.key());
  return keys;
}

TEST(JsonReport, HasTheSchemasShape) {
  Findings findings = SampleLeaks(42);
  findings.errors = SampleErrors(42).errors;
  findings.verdict.status = Status::kErrors;
  findings.children = {SampleClean(43)};
  const json report = json::parse(JsonReport(findings));
  const std::set<std::string> top = {"schema", "process", "totals", "verdict", "leaks", "errors", "injected", "ownership", "children"};
  std::set<std::string> first = top;
  first.insert({"leaks_omitted", "summary", "suppressions", "baseline"});
  EXPECT_EQ(KeysOf(report), first);
  EXPECT_EQ(report["schema"], "mallocspy-report/1");
  EXPECT_EQ(KeysOf(report["process"]),
            (std::set<std::string>{"pid", "exe", "cmdline", "exit", "crash", "interposed", "degraded"}));
  EXPECT_EQ(KeysOf(report["totals"]), (std::set<std::string>{"allocations", "allocated_bytes", "frees", "live_blocks",
                                                             "live_bytes", "peak_bytes", "foreign_frees"}));
  EXPECT_EQ(report["verdict"], json::parse(R"({"status": "errors", "reachability": "unknown", "judged": true})"));
  EXPECT_EQ(KeysOf(report["children"][0]), top);
  EXPECT_EQ(report["children"][0]["process"]["pid"], 43);
  EXPECT_EQ(report["children"][0]["verdict"]["status"], "clean");
}

TEST(JsonReport, TheSummaryHasWhatProcessesShareOnce) {
  Findings findings = SampleErrors(42);
  findings.children = {SampleLeaks(43), SampleLeaks(44), SampleErrors(45), SampleErrors(46), SampleLeaks(43)};
  findings.children[3].verdict.judged = false;
  findings.children[4].process.exit = {ProcessExit::Kind::kExec, 0, "/bin/ls"};
  const json summary = json::parse(JsonReport(findings))["summary"];
  EXPECT_EQ(KeysOf(summary), (std::set<std::string>{"processes", "judged", "status", "leaks", "errors"}));
  EXPECT_EQ(summary["processes"], 5);
  EXPECT_EQ(summary["judged"], 4);
  EXPECT_EQ(summary["status"], "errors");
  ASSERT_EQ(summary["leaks"].size(), 2u);
  json leak = summary["leaks"][0];
  EXPECT_EQ(leak["frames"].size(), 3u);
  leak.erase("frames");
  EXPECT_EQ(leak,
            json::parse(R"({"id": "00000000000000aa", "class": "unknown", "processes": 2, "blocks": 4, "bytes": 160,
                                  "door": "new[]", "programs": ["/opt/prog"]})"));
  ASSERT_EQ(summary["errors"].size(), 2u);
  EXPECT_EQ(KeysOf(summary["errors"][0]),
            (std::set<std::string>{"kind", "processes", "count", "programs", "where", "allocated", "freed"}));
  EXPECT_EQ(summary["errors"][0]["processes"], 2);
  EXPECT_EQ(summary["errors"][0]["count"], 6);
}

TEST(JsonReport, Leak) {
  const json report = json::parse(JsonReport(SampleLeaks(42)));
  EXPECT_EQ(report["leaks_omitted"], 1);
  EXPECT_EQ(report["leaks"][0], json::parse(R"json({
      "id": "00000000000000aa", "class": "unknown", "blocks": 2, "bytes": 80, "mark": 1, "door": "new[]", "root": null,
      "suppressed_by": null, "baseline": null, "frames": [
        {"module": "/opt/prog", "build_id": "0123abcd", "offset": 4112, "function": "inner()", "file": "/src/a.cc",
         "line": 3, "inlined": true},
        {"module": "/opt/prog", "build_id": "0123abcd", "offset": 4112, "function": "outer()", "file": "/src/b.cc",
         "line": 14, "inlined": false},
        {"module": "/opt/prog", "build_id": "0123abcd", "offset": 8224, "function": "main", "file": null,
         "line": null, "inlined": false}]})json"));
  EXPECT_EQ(report["leaks"][1]["frames"][1], json::parse(R"({"module": null, "build_id": null,
      "offset": 140733498807928, "function": null, "file": null, "line": null, "inlined": false})"));
}

TEST(JsonReport, WhatIsAccepted) {
  const json report = json::parse(JsonReport(SampleAccepted(42)));
  EXPECT_EQ(report["verdict"]["status"], "clean");
  EXPECT_EQ(report["leaks"].size(), 2u);
  EXPECT_FALSE(report.contains("leaks_omitted"));
  EXPECT_EQ(report["leaks"][0]["suppressed_by"], "plugins");
  EXPECT_EQ(report["leaks"][0]["baseline"], nullptr);
  EXPECT_EQ(report["leaks"][1]["suppressed_by"], nullptr);
  EXPECT_EQ(report["leaks"][1]["baseline"], json::parse(R"({"state": "known", "blocks": 1, "bytes": 5})"));
  EXPECT_EQ(report["baseline"], json::parse(R"({"file": "old.json", "new": 0, "grown": 0, "known": 1, "gone": 4})"));
  EXPECT_EQ(report["suppressions"][0], json::parse(R"({"name": "plugins", "file": "a.supp", "line": 3,
      "reason": "one for each plugin", "state": "used", "blocks": 2, "bytes": 80})"));
  EXPECT_EQ(report["suppressions"][1]["state"], "unused");
  EXPECT_EQ(report["suppressions"][1]["reason"], nullptr);
}

TEST(JsonReport, AcceptedLeaksThatAreNotListedAreCounted) {
  Findings findings = SampleAccepted(42);
  findings.accepted.pop_back();
  EXPECT_EQ(json::parse(JsonReport(findings))["leaks_omitted"], 1);
}

TEST(JsonReport, Error) {
  const json report = json::parse(JsonReport(SampleErrors(42)));
  const json& error = report["errors"][0];
  EXPECT_EQ(error["kind"], "heap-overflow");
  EXPECT_EQ(error["address"], 0x602000000010);
  EXPECT_EQ(error["size"], 8);
  EXPECT_EQ(error["door"], "malloc");
  EXPECT_EQ(error["count"], 3);
  EXPECT_EQ(error["where"][0]["function"], "use");
  EXPECT_EQ(error["allocated"][0]["function"], "make");
  EXPECT_EQ(error["freed"], json::array());
  EXPECT_EQ(report["errors"][1]["door"], nullptr);
  EXPECT_EQ(report["errors"][1]["used_door"], "new");
}

TEST(JsonReport, EveryDoorHasItsName) {
  const std::vector<std::string> names = {"task",           "malloc",      "new",          "new[]",
                                          "aligned malloc", "aligned new", "aligned new[]"};
  for (size_t i = 0; i < names.size(); ++i) {
    Findings findings = SampleLeaks(42);
    findings.leaks[0].door = static_cast<Door>(i + 1);
    EXPECT_EQ(json::parse(JsonReport(findings))["leaks"][0]["door"], names[i]);
  }
}

TEST(JsonReport, Exit) {
  Findings findings = SampleClean(42);
  EXPECT_EQ(json::parse(JsonReport(findings))["process"]["exit"], json::parse(R"({"code": 0})"));
  findings.process.exit = {ProcessExit::Kind::kSignal, 9, ""};
  EXPECT_EQ(json::parse(JsonReport(findings))["process"]["exit"], json::parse(R"({"signal": 9})"));
  findings.process.exit = {ProcessExit::Kind::kExec, 0, "/bin/ls"};
  EXPECT_EQ(json::parse(JsonReport(findings))["process"]["exit"], json::parse(R"({"exec": "/bin/ls"})"));
  findings.process.exit = {};
  EXPECT_EQ(json::parse(JsonReport(findings))["process"]["exit"], json::object());
}

TEST(JsonReport, AMarkThatIsNotKnownIsNull) {
  Findings findings = SampleLeaks(42);
  findings.leaks[0].mark.reset();
  EXPECT_EQ(json::parse(JsonReport(findings))["leaks"][0]["mark"], nullptr);
}

TEST(JsonReport, IsValidWhateverTheNamesAre) {
  Findings findings = SampleLeaks(42);
  findings.process.cmdline = {"\xff\xfe", "a\"b\n", std::string("\0", 1)};
  findings.leaks[0].frames[0].function = "\xc0\x80<script>";
  const json report = json::parse(JsonReport(findings));
  EXPECT_EQ(report["process"]["cmdline"][1], "a\"b\n");
  EXPECT_EQ(report["leaks"][0]["frames"][0]["function"], "\xef\xbf\xbd\xef\xbf\xbd<script>");
}

TEST(JsonReport, ClassesAndWhatHoldsTheBlocks) {
  const json report = json::parse(JsonReport(SampleClasses(42)));
  EXPECT_EQ(report["verdict"]["reachability"], "complete");
  EXPECT_EQ(report["leaks"][0]["class"], "definite");
  EXPECT_TRUE(report["leaks"][0]["root"].is_null());
  EXPECT_EQ(report["leaks"][1]["class"], "possible");
  EXPECT_EQ(report["leaks"][1]["root"],
            json::parse(R"({"kind": "stack", "name": "worker", "module": null, "tid": 43, "address": 140724603457536})"));
  EXPECT_EQ(report["leaks"][2]["class"], "reachable");
  EXPECT_EQ(report["leaks"][2]["root"]["name"], "table");
  EXPECT_EQ(report["leaks"][2]["root"]["module"], "/opt/lib/libtable.so");
  EXPECT_TRUE(report["leaks"][2]["root"]["tid"].is_null());
}

}  // namespace
}  // namespace mallocspy

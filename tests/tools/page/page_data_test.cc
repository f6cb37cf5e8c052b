#include "tools/page/page_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/tools/page/page_ledgers.h"
#include "tools/page/page.h"
#include "tools/page/script_text.h"
#include "tools/reader/reader.h"
#include "tools/verdict/assessment.h"

namespace mallocspy {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

Snapshot Read(const std::string& bytes) {
  absl::StatusOr<Snapshot> snapshot = ReadSnapshot(MemorySource(bytes), "x");
  EXPECT_TRUE(snapshot.ok()) << snapshot.status();
  return *std::move(snapshot);
}

struct Told {
  Findings findings;
  std::string text;
  json data;
};

Told Tell(const std::vector<Snapshot>& snapshots) {
  FrameNamer namer(false);
  std::vector<Findings> findings;
  for (const Snapshot& snapshot : snapshots) findings.push_back(Assess(snapshot, {}, kAllLeaks, &namer));
  Told told;
  told.text = PageData(findings, {snapshots, &namer});
  told.data = json::parse(told.text);
  told.findings = findings[0];
  return told;
}

uint64_t Sum(const json& column) {
  uint64_t sum = 0;
  for (const json& value : column) sum += value.get<uint64_t>();
  return sum;
}

// The functions of a stack, innermost first.
std::vector<std::string> Stack(const json& data, uint32_t node) {
  std::vector<std::string> names;
  while (node != 0) {
    const uint32_t frame = data["nodes"]["frame"][node];
    const std::string module = data["texts"][data["frames"]["module"][frame].get<size_t>()];
    names.push_back(module.substr(module.rfind('/') + 1) + "+" + data["frames"]["offset"][frame].get<std::string>());
    node -= data["nodes"]["parent"][node].get<uint32_t>();
  }
  return names;
}

TEST(PageData, TotalsAreThoseOfTheFindings) {
  LedgerBuilder ledger;
  const uint32_t module = ledger.AddModule("/nowhere/prog", "\xab", 0x1000, ledger::kModuleExecutable);
  const uint32_t first = ledger.AddStack({{module, 0x10}, {module, 0x20}}, Door::kMalloc);
  const uint32_t twin = ledger.AddStack({{module, 0x10}, {module, 0x20}}, Door::kMalloc);
  const uint32_t other = ledger.AddStack({{module, 0x30}, {module, 0x20}}, Door::kNew);
  ledger.AddBlock(first, 0x5000, 40, 1, 0, ledger::Reach::kDefinite);
  ledger.AddBlock(twin, 0x5100, 8, 1, 0, ledger::Reach::kReachable);
  ledger.AddBlock(other, 0x5200, 0, 1, 0, ledger::Reach::kDefinite);
  ledger.AddBlock(other, 0x5300, 99, 0, 0, ledger::Reach::kDefinite);  // inherited over fork
  ledger.CountAllocations(first, 2, 100);
  ledger.CountFrees(first, 2, 100);
  ledger.End(ledger::End::kExit, 0);
  const Told told = Tell({Read(ledger.Bytes())});
  const json& picture = told.data["pictures"][0];
  const json& stacks = picture["stacks"];
  EXPECT_EQ(stacks["node"].size(), 2u);  // the twins are one
  EXPECT_EQ(told.findings.totals.live_blocks, 3u);
  EXPECT_EQ(Sum(stacks["live_blocks"]), told.findings.totals.live_blocks);
  EXPECT_EQ(Sum(stacks["live_bytes"]), told.findings.totals.live_bytes);
  EXPECT_EQ(Sum(stacks["allocations"]), told.findings.totals.allocations);
  EXPECT_EQ(Sum(stacks["allocated_bytes"]), told.findings.totals.allocated_bytes);
  EXPECT_EQ(Sum(stacks["frees"]), told.findings.totals.frees);
  EXPECT_EQ(picture["totals"]["live_bytes"], told.findings.totals.live_bytes);
  EXPECT_EQ(Sum(picture["sizes"]["blocks"]), 3u);
  EXPECT_EQ(picture["sizes"]["blocks"][0], 1);  // of 0 bytes
  EXPECT_EQ(picture["sizes"]["blocks"][4], 1);  // 8 to 15
  EXPECT_EQ(picture["sizes"]["bytes"][6], 40);  // 32 to 63
  EXPECT_EQ(picture["classes"]["definite"]["blocks"], 2);
  ASSERT_EQ(picture["leaks"].size(), told.findings.leaks.size());
  EXPECT_EQ(picture["leaks"][0]["id"], told.findings.leaks[0].id);
  EXPECT_EQ(Stack(told.data, picture["leaks"][0]["node"]), (std::vector<std::string>{"prog+0x10", "prog+0x20"}));
  EXPECT_FALSE(picture.contains("dominators"));
}

TEST(PageData, DominatorsOfADump) {
  LedgerBuilder ledger;
  const uint32_t module = ledger.AddModule("/nowhere/prog", "\xab", 0x1000, ledger::kModuleExecutable);
  const uint32_t stack = ledger.AddStack({{module, 0x10}}, Door::kMalloc);
  const uint32_t other = ledger.AddStack({{module, 0x30}}, Door::kMalloc);
  ledger.AddBlock(stack, 0x5000, 100);
  for (uint64_t i = 0; i < 3; ++i) ledger.AddBlock(other, 0x6000 + 0x100 * i, 10);
  ledger.AddBlock(stack, 0x7000, 1000, 1, 0, ledger::Reach::kDefinite);
  ledger.AddRootReference(ledger::RootKind::kStack, 77, 0x700000, 0);
  for (uint32_t i = 0; i < 3; ++i) ledger.AddReference(0, i, 1 + i);
  ledger.End(ledger::End::kPicture, 0);
  const json data = Tell({Read(ledger.Bytes())}).data;
  const json& dominators = data["pictures"][0]["dominators"];
  std::vector<std::string> rows;
  for (size_t i = 0; i < dominators["label"].size(); ++i) {
    const size_t parent = i - dominators["parent"][i].get<size_t>();
    rows.push_back(absl::StrCat(data["texts"][dominators["label"][i].get<size_t>()].get<std::string>(), " in ", parent, ": ",
                                dominators["bytes"][i].get<int>(), " ", dominators["blocks"][i].get<int>(), " ", dominators["nodes"][i].get<int>()));
  }
  EXPECT_THAT(rows, testing::ElementsAre("all in 0: 1130 5 1", "lost: prog+0x10 in 0: 1000 1 1", "stack of thread 77 in 0: 130 4 1",
                                         "prog+0x10 in 2: 130 4 1", "prog+0x30 in 3: 30 3 3"));
}

TEST(PageData, ThePeakByStack) {
  LedgerBuilder ledger;
  const uint32_t module = ledger.AddModule("/nowhere/prog", "\xab", 0x1000, ledger::kModuleExecutable);
  const uint32_t stack = ledger.AddStack({{module, 0x10}}, Door::kMalloc);
  const uint32_t gone = ledger.AddStack({{module, 0x30}}, Door::kMalloc);
  ledger.AddBlock(stack, 0x5000, 100);
  ledger.CountAllocations(gone, 7, 700);
  ledger.CountFrees(gone, 7, 700);
  ledger.SetPeak(stack, 0, 1, 100);
  ledger.SetPeak(gone, 0, 6, 600);
  ledger.header().peaks[0] = {700, 800, 3, 0};
  ledger.header().peak_side = ledger::kFirstPeak;
  ledger.End(ledger::End::kExit, 0);
  const json data = Tell({Read(ledger.Bytes())}).data;
  EXPECT_EQ(data["pictures"][0]["stacks"]["peak_bytes"], json({100, 600}));
  EXPECT_EQ(data["pictures"][0]["stacks"]["peak_blocks"], json({1, 6}));
}

TEST(PageData, KilledProcessCountsFromItsStacks) {
  const Told told = Tell({Read(LargeLedger(500, 12))});
  const json& picture = told.data["pictures"][0];
  EXPECT_EQ(Sum(picture["stacks"]["live_bytes"]), told.findings.totals.live_bytes);
  EXPECT_EQ(Sum(picture["sizes"]["bytes"]), told.findings.totals.live_bytes);
  EXPECT_EQ(picture["sizes"]["exact"], false);
  EXPECT_EQ(picture["verdict"]["status"], "incomplete");
  EXPECT_FALSE(picture["degraded"].empty());
  // One node for the same frames, however many stacks they are part of; each after its parent.
  EXPECT_LT(told.data["nodes"]["frame"].size(), 500u * 12);
  for (size_t i = 1; i < told.data["nodes"]["parent"].size(); ++i) EXPECT_GE(told.data["nodes"]["parent"][i], 1);
}

TEST(PageData, SnapshotsShareOneTree) {
  const auto ledger = [](int blocks, uint64_t ended_ns) {
    LedgerBuilder builder;
    const uint32_t module = builder.AddModule("/nowhere/prog", "\xab", 0x1000, ledger::kModuleExecutable);
    const uint32_t stack = builder.AddStack({{module, 0x10}}, Door::kMalloc);
    for (int i = 0; i < blocks; ++i) builder.AddBlock(stack, 0x5000 + 0x100 * static_cast<uint64_t>(i), 10);
    builder.End(ledger::End::kPicture, 0);
    builder.header().ended_ns = ended_ns;
    return Read(builder.Bytes());
  };
  std::vector<Snapshot> snapshots;
  snapshots.push_back(ledger(1, 2'000'000));
  snapshots.push_back(ledger(3, 5'000'000));
  const json data = Tell(snapshots).data;
  ASSERT_EQ(data["pictures"].size(), 2u);
  EXPECT_EQ(data["nodes"]["frame"].size(), 2u);  // the root and the one frame
  EXPECT_EQ(data["pictures"][0]["stacks"]["live_blocks"][0], 1);
  EXPECT_EQ(data["pictures"][1]["stacks"]["live_blocks"][0], 3);
  EXPECT_EQ(data["pictures"][1]["taken_ms"], 5);
}

TEST(PageData, NamesStayNames) {
  const Told told = Tell({Read(HostileLedger())});
  EXPECT_THAT(told.text, AllOf(Not(HasSubstr("<")), Not(HasSubstr(">")), Not(HasSubstr("&"))));
  for (const char byte : told.text) EXPECT_GE(static_cast<unsigned char>(byte), 0x20);
  EXPECT_THAT(told.data["pictures"][0]["exe"].get<std::string>(),
              AllOf(HasSubstr("</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>\"'&amp;\\u003c"),
                    HasSubstr("\\x0a\\x1b[31m\\xff")));
  // Nothing that turns the direction of writing.
  EXPECT_THAT(told.text, AllOf(Not(HasSubstr("\xe2\x80\xae")), Not(HasSubstr("\xe2\x80\xa8"))));
  const std::string html = PageHtml(told.text);
  const std::string empty = PageHtml("");
  const auto count = [](const std::string& text, const std::string& what) {
    size_t number = 0;
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++number;
    return number;
  };
  for (const char* tag : {"<script", "</script", "<!--", "<img"}) EXPECT_EQ(count(html, tag), count(empty, tag)) << tag;
}

TEST(ScriptText, IsTheSameJson) {
  const json value = {{"</script>", "<!-- & -->"}, {"a\"b", "\xe2\x80\xa8\xe2\x80\xa9"}, {"n", 5}};
  const std::string text = ScriptText(value.dump());
  EXPECT_EQ(json::parse(text), value);
  EXPECT_THAT(text, AllOf(HasSubstr("\\u003c/script\\u003e"), HasSubstr("\\u2028\\u2029"), Not(HasSubstr("<"))));
}

TEST(DiffPageData, JoinsWhatARebuildMoved) {
  const auto ledger = [](uint64_t blocks, uint64_t bytes, const char* path) {
    LedgerBuilder builder;
    const uint32_t module = builder.AddModule(path, "\xab", 0x1000, ledger::kModuleExecutable);
    const uint32_t stack = builder.AddStack({{module, 0x10}}, Door::kMalloc);
    for (uint64_t i = 0; i < blocks; ++i)
      builder.AddBlock(stack, 0x5000 + 0x100 * i, bytes, 1, 0, ledger::Reach::kDefinite);
    builder.End(ledger::End::kExit, 0);
    return Read(builder.Bytes());
  };
  FrameNamer namer(false);
  const auto side = [&](const char* file, Snapshot snapshot) {
    DiffSide made;
    made.file = file;
    made.findings = Assess(snapshot, {}, kAllLeaks, &namer);
    made.snapshots.push_back(std::move(snapshot));
    return made;
  };
  const DiffSide before = side("old", ledger(2, 10, "/old/prog"));
  const DiffSide now = side("new", ledger(5, 10, "/new/prog"));
  const json data =
      json::parse(DiffPageData(before, now, DiffLeaks(before.findings.leaks, now.findings.leaks), &namer));
  EXPECT_EQ(data["kind"], "diff");
  ASSERT_EQ(data["pictures"].size(), 2u);
  EXPECT_EQ(data["pictures"][0]["label"], "new");
  // The same node on both sides, so that they can be subtracted.
  EXPECT_EQ(data["pictures"][0]["stacks"]["node"], data["pictures"][1]["stacks"]["node"]);
  EXPECT_EQ(data["pictures"][0]["stacks"]["live_bytes"][0], 50);
  EXPECT_EQ(data["pictures"][1]["stacks"]["live_bytes"][0], 20);
  ASSERT_EQ(data["changes"].size(), 1u);
  EXPECT_EQ(data["changes"][0]["change"], "grown");
  EXPECT_EQ(data["changes"][0]["before"], json::parse(R"({"blocks": 2, "bytes": 20})"));
  EXPECT_EQ(data["changes"][0]["now"], json::parse(R"({"blocks": 5, "bytes": 50})"));
}

TEST(Page, LoadsNothingAndAllowsOneScriptAndStyle) {
  const std::string html = PageHtml("{}");
  EXPECT_THAT(html, AllOf(HasSubstr("default-src 'none'"), HasSubstr("style-src 'sha256-"),
                          HasSubstr("script-src 'sha256-"), HasSubstr("connect-src 'none'"), Not(HasSubstr("src=")),
                          Not(HasSubstr("href=")), Not(HasSubstr("innerHTML")), Not(HasSubstr("@STYLE")),
                          Not(HasSubstr("@SCRIPT")), Not(HasSubstr("@DATA@"))));
  EXPECT_THAT(LivePageHtml(), HasSubstr("connect-src 'self'"));
}

}  // namespace
}  // namespace mallocspy

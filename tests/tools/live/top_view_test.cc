#include "tools/live/top_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/tools/ledger_builder.h"
#include "tools/live/top_text.h"
#include "tools/reader/reader.h"

namespace mallocspy {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Three stacks; what they allocated and freed is for each test to say.
class Heap {
 public:
  Heap() {
    ledger_.SetProgram("/nowhere/bin/prog", {"/nowhere/bin/prog", "-x"});
    const uint32_t program = ledger_.AddModule("/nowhere/bin/prog", "\x01", 0x400000, ledger::kModuleExecutable);
    const uint32_t library = ledger_.AddModule("/nowhere/lib/lib\x1b[31mfoo.so", "\x02", 0x7f0000000000);
    small_ = ledger_.AddStack({{program, 0x10}, {program, 0x11}}, Door::kMalloc);
    large_ = ledger_.AddStack({{program, 0x20}}, Door::kNew);
    foreign_ = ledger_.AddStack({{library, 0x30}, {program, 0x31}}, Door::kMalloc);
  }
  Snapshot Read() {
    const absl::StatusOr<Snapshot> snapshot = ReadSnapshot(MemorySource(bytes_ = ledger_.Bytes()), "x");
    EXPECT_TRUE(snapshot.ok()) << snapshot.status();
    return *snapshot;
  }
  LedgerBuilder& ledger() { return ledger_; }
  uint32_t small() const { return small_; }
  uint32_t large() const { return large_; }
  uint32_t foreign() const { return foreign_; }

 private:
  LedgerBuilder ledger_;
  std::string bytes_;
  uint32_t small_, large_, foreign_;
};

const absl::Time kStart = absl::FromUnixSeconds(1000000000);

std::vector<uint32_t> Order(TopView* view, TopSort sort, const std::string& filter = "") {
  std::vector<uint32_t> stacks;
  for (const TopRow& row : view->Rows(sort, filter)) stacks.push_back(row.stack);
  return stacks;
}

TEST(TopView, SortsByEachKey) {
  Heap heap;
  heap.ledger().CountAllocations(heap.small(), 100, 1000);
  heap.ledger().CountAllocations(heap.large(), 2, 5000);
  heap.ledger().CountAllocations(heap.foreign(), 10, 10);
  TopView view;
  view.Add(heap.Read(), kStart);
  EXPECT_EQ(Order(&view, TopSort::kBytes), (std::vector<uint32_t>{heap.large(), heap.small(), heap.foreign()}));
  EXPECT_EQ(Order(&view, TopSort::kBlocks), (std::vector<uint32_t>{heap.small(), heap.foreign(), heap.large()}));
  EXPECT_EQ(view.totals().live_bytes, 6010u);
  EXPECT_EQ(view.totals().live_blocks, 112u);
  EXPECT_FALSE(view.totals().allocations_per_second.has_value());
  heap.ledger().CountAllocations(heap.foreign(), 40, 4);
  heap.ledger().CountAllocations(heap.small(), 1, 3000);
  heap.ledger().CountFrees(heap.large(), 1, 2500);
  view.Add(heap.Read(), kStart + absl::Seconds(2));
  EXPECT_EQ(Order(&view, TopSort::kRate), (std::vector<uint32_t>{heap.foreign(), heap.small(), heap.large()}));
  EXPECT_EQ(Order(&view, TopSort::kGrowth), (std::vector<uint32_t>{heap.small(), heap.foreign(), heap.large()}));
  EXPECT_DOUBLE_EQ(view.Rows(TopSort::kRate, "")[0].allocations_per_second, 20);
  EXPECT_DOUBLE_EQ(*view.totals().allocations_per_second, 20.5);
  EXPECT_DOUBLE_EQ(*view.totals().frees_per_second, 0.5);
  EXPECT_EQ(view.totals().grown_bytes, 504);
}

TEST(TopView, GrowthIsCountedFromTheBaseline) {
  Heap heap;
  heap.ledger().CountAllocations(heap.small(), 1, 1000);
  TopView view;
  view.Add(heap.Read(), kStart);
  heap.ledger().CountAllocations(heap.small(), 1, 70);
  view.Add(heap.Read(), kStart + absl::Seconds(1));
  EXPECT_EQ(view.Rows(TopSort::kBytes, "")[0].grown_bytes, 70);
  view.SetBaseline();
  EXPECT_EQ(view.baseline_time(), kStart + absl::Seconds(1));
  EXPECT_EQ(view.Rows(TopSort::kBytes, "")[0].grown_bytes, 0);
  heap.ledger().CountFrees(heap.small(), 1, 1000);
  const uint32_t later = heap.ledger().AddStack({{0, 0x99}}, Door::kMalloc);
  heap.ledger().CountAllocations(later, 1, 30);
  view.Add(heap.Read(), kStart + absl::Seconds(2));
  EXPECT_EQ(view.Rows(TopSort::kGrowth, "")[0].stack, later) << "a stack that came after it";
  EXPECT_EQ(view.totals().grown_bytes, -970);
}

TEST(TopView, FiltersByFunctionOrModule) {
  Heap heap;
  for (const uint32_t stack : {heap.small(), heap.large(), heap.foreign()}) heap.ledger().CountAllocations(stack, 1, 10);
  TopView view;
  view.Add(heap.Read(), kStart);
  EXPECT_EQ(Order(&view, TopSort::kBytes, "FOO.SO"), (std::vector<uint32_t>{heap.foreign()}));
  EXPECT_EQ(Order(&view, TopSort::kBytes, "prog").size(), 3u);
  EXPECT_TRUE(Order(&view, TopSort::kBytes, "nothing").empty());
}

TEST(TopText, ShowsRowsAndWhatIsLeftOut) {
  Heap heap;
  for (const uint32_t stack : {heap.small(), heap.large(), heap.foreign()}) heap.ledger().CountAllocations(stack, 1, 1234);
  TopView view;
  view.Add(heap.Read(), kStart);
  TopSelection selection;
  const std::string all = TopText(&view, 42, selection);
  EXPECT_THAT(all, HasSubstr("prog (pid 42): 3.7K in 3 blocks, peak 3.7K\n3702 bytes live; 3 allocations, 0 frees so far\n"));
  EXPECT_THAT(all, HasSubstr("          1234           1             1  new       prog+0x20"));
  EXPECT_THAT(all, Not(HasSubstr("\x1b"))) << "names are not obeyed";
  selection.most_rows = 1;
  EXPECT_THAT(TopText(&view, 42, selection), HasSubstr("and 2 more stacks; --top=N shows more"));
  selection.filter = "nothing";
  EXPECT_THAT(TopText(&view, 42, selection), HasSubstr("no stack contains that"));
}

TEST(TopText, JsonHasTheTotalsOfAReport) {
  Heap heap;
  heap.ledger().CountAllocations(heap.small(), 3, 300);
  heap.ledger().CountFrees(heap.small(), 1, 100);
  TopView view;
  view.Add(heap.Read(), kStart);
  TopSelection selection;
  selection.most_rows = UINT64_MAX;
  const auto json = nlohmann::json::parse(TopJson(&view, 42, selection));
  EXPECT_EQ(json["schema"], "mallocspy-top/1");
  EXPECT_EQ(json["process"]["pid"], 42);
  EXPECT_EQ(json["process"]["cmdline"], nlohmann::json({"/nowhere/bin/prog", "-x"}));
  EXPECT_EQ(json["time"], "2001-09-09T01:46:40+00:00");
  EXPECT_EQ(json["totals"]["live_bytes"], 200);
  EXPECT_EQ(json["totals"]["live_blocks"], 2);
  EXPECT_EQ(json["totals"]["allocations"], 3);
  EXPECT_EQ(json["totals"]["allocated_bytes"], 300);
  ASSERT_EQ(json["stacks"].size(), 1u);
  EXPECT_EQ(json["stacks"][0]["door"], "malloc");
  EXPECT_EQ(json["stacks"][0]["frames"].size(), 2u);
  EXPECT_EQ(json["stacks_of"], 1);
}

TEST(TopSorting, WordsAreChecked) {
  EXPECT_EQ(*ParseTopSort("growth"), TopSort::kGrowth);
  EXPECT_THAT(std::string(ParseTopSort("grwth").status().message()), HasSubstr("did you mean 'growth'?"));
}

}  // namespace
}  // namespace mallocspy

#include "tools/explore/explored_heap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/tools/explore/explorer_fixture.h"

namespace mallocspy {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class PlainHeapTest : public ExplorerTest {
 protected:
  PlainHeapTest() : ExplorerTest(SampleHeap(/*graph=*/false)) {}
};

class HostileHeapTest : public ExplorerTest {
 protected:
  HostileHeapTest() : ExplorerTest(SampleHeap(true, "\x1b]0;a\",\n\xff\xe2\x80\xae=")) {}
};

TEST_F(PlainHeapTest, QuestionsAboutTheGraphSayWhatIsMissing) {
  for (const char* const line :
       {"refs 0x50000", "refby 0x50000", "path 0x50000", "dominators", "dominators 0x50000", "retained", "roots", "blocks sort retained"}) {
    EXPECT_THAT(Error(line), HasSubstr("'mallocspy dump PID'")) << line;
  }
  EXPECT_THAT(Text("summary"), HasSubstr("What points to what is not in this snapshot"));
  EXPECT_EQ(Json("types")["rows"][0]["retained"], nullptr);
  const json show = Json("show " + Hex(kCache));
  EXPECT_FALSE(show["block"].contains("retained"));
  EXPECT_THAT(std::string(show["block"]["held_by"]), HasSubstr("depot::g_cache+0x8 in "));
  EXPECT_EQ(Json("leaks")["rows"].size(), 3u);
}

TEST(Explorer, OfAKilledProcessKnowsTheCountersOnly) {
  LedgerBuilder ledger = SampleHeap(false);
  ledger.header().state = ledger::State::kRunning;
  ExploredHeap heap(ReadHeap(std::move(ledger)), false);
  std::string output;
  Explorer explorer(&heap, TableFormat::kJson, 0, [&output](absl::string_view text) {
    output.append(text.data(), text.size());
    return true;
  });
  EXPECT_TRUE(explorer.ExecuteLine("stacks").ok());
  EXPECT_EQ(json::parse(output)["rows"][0]["bytes"], 7144);
  output.clear();
  EXPECT_TRUE(explorer.ExecuteLine("summary").ok());
  EXPECT_EQ(json::parse(output)["process"]["live_blocks"], 16);
  for (const char* const line : {"blocks", "types", "leaks", "show 0x50000", "stacks size>1"}) {
    EXPECT_THAT(std::string(explorer.ExecuteLine(line).message()), HasSubstr("has no list of blocks")) << line;
  }
}

TEST_F(HostileHeapTest, NamesOfTheTargetAreData) {
  const auto safe = [](const std::string& text) {
    return std::none_of(text.begin(), text.end(),
                        [](char letter) { return (letter >= 0 && letter < 0x20 && letter != '\n' && letter != '\r') || letter == 0x7f; });
  };
  for (const std::string line : {"threads", "marks", "roots", "refby 0x120000", "path 0x70000 4", "show 0x70000", "dominators"}) {
    const std::string table = Text(line), csv = Text(line + " as csv");
    EXPECT_TRUE(safe(table)) << table;
    EXPECT_TRUE(safe(csv)) << csv;
    EXPECT_THAT(table, Not(HasSubstr("\xe2\x80\xae"))) << line;
    const std::string text = Text(line + " as json");
    EXPECT_TRUE(json::accept(text)) << text;
    EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char letter) { return letter == '\n' || (letter >= 0x20 && letter < 0x7f); }))
        << text;
  }
  EXPECT_THAT(Text("threads as csv"), HasSubstr("\r\n4712,\"\\x1b]0;a\"\",\\x0a\\xff\\u{202e}=\",5,405\r\n"));
  EXPECT_EQ(Json("threads")["rows"][0]["name"], "\x1b]0;a\",\n\xef\xbf\xbd\xe2\x80\xae=");
}

TEST(Explorer, StopsWhenNothingMoreIsWanted) {
  ExploredHeap heap(ReadHeap(LargeHeap(20000)), false);
  int pieces = 0;
  Explorer explorer(&heap, TableFormat::kJson, 0, [&pieces](absl::string_view) { return ++pieces < 3; });
  EXPECT_TRUE(explorer.ExecuteLine("blocks").ok());
  EXPECT_EQ(pieces, 3);
}

}  // namespace
}  // namespace mallocspy

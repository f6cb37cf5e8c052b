#include "tools/explore/explorer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/tools/explore/explorer_fixture.h"
#include "tools/explore/explorer_commands.h"

namespace mallocspy {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(ExplorerTest, Summary) {
  const json summary = Json("summary");
  EXPECT_EQ(summary["process"]["pid"], 4711);
  EXPECT_EQ(summary["process"]["command_line"], "depot --entries=3");
  EXPECT_EQ(summary["process"]["live_blocks"], kSampleBlocks);
  EXPECT_EQ(summary["process"]["live_bytes"], 10763);
  EXPECT_EQ(summary["process"]["references"], 16);
  EXPECT_EQ(summary["process"]["classes"], 3);
  EXPECT_EQ(summary["reach"][0], (json{{"reach", "definite"}, {"blocks", 2}, {"bytes", 3100}}));
  EXPECT_EQ(summary["largest_stacks"][0]["bytes"], 7144);
  EXPECT_THAT(std::string(summary["largest_stacks"][0]["function"]), StartsWith("depot::LoadEntries(int)"));
  EXPECT_THAT(Text("summary"), HasSubstr("10763 (10.5K)"));
}

TEST_F(ExplorerTest, Blocks) {
  const json blocks = Json("blocks");
  EXPECT_EQ(blocks["command"], "blocks");
  EXPECT_EQ(blocks["total"], (json{{"blocks", 16}, {"bytes", 10763}}));
  ASSERT_EQ(blocks["rows"].size(), 16u);
  const json& first = blocks["rows"][0];
  EXPECT_EQ(first["address"], Hex(kLongText));
  EXPECT_EQ(first["size"], 5000);
  EXPECT_EQ(first["type"], "(std::string characters)");
  EXPECT_EQ(first["reach"], "reachable");
  EXPECT_EQ(first["door"], "new");
  EXPECT_EQ(first["mark"], 8);
  EXPECT_EQ(first["stack"], 1);
}

TEST_F(ExplorerTest, RowsAreSortedAndCut) {
  EXPECT_THAT(Addresses("blocks top 2"), ElementsAre(Hex(kLongText), Hex(kLost)));
  EXPECT_THAT(Addresses("blocks limit 1 sort -size"), ElementsAre(Hex(kCycleBack)));
  EXPECT_THAT(Addresses("blocks sort address top 1"), ElementsAre(Hex(kCache)));
  EXPECT_THAT(Addresses("blocks sort -address top 1"), ElementsAre(Hex(kCycleBack)));
  EXPECT_THAT(Addresses("blocks sort retained top 2"), ElementsAre(Hex(kCache), Hex(kEntries)));
  EXPECT_THAT(Addresses("blocks sort type top 1"), ElementsAre(Hex(kFirstNode))) << "(std::list node)";
  EXPECT_THAT(Addresses("blocks sort function top 1"), ElementsAre(Hex(kEntries))) << "depot::LoadEntries";
  EXPECT_THAT(Text("blocks top 2"), HasSubstr("2 of 16 rows are shown; 'top 10' and 'top all' show more\n"));
  EXPECT_THAT(Text("stacks sort -stack top 1 as csv"), HasSubstr("\r\n7144,6,1190,6,1,"));
  // Each column that the help names can be sorted by.
  for (const ExplorerCommand& command : ExplorerCommands()) {
    std::istringstream keys(command.sort_keys);
    for (std::string key; keys >> key;) {
      const std::string operand = command.least_operands != 0 ? " " + Hex(kFirstEntry) : "";
      Json(std::string(command.name) + operand + " sort " + key);
    }
  }
}

TEST_F(ExplorerTest, TablesForPeopleAreShort) {
  std::string many;
  EXPECT_THAT(Text("blocks"), Not(HasSubstr("rows are shown")));
  explorer_.set_width(60);
  std::istringstream lines(Text("blocks"));
  for (std::string line; std::getline(lines, line);) {
    size_t width = 0;
    for (const char byte : line) width += (static_cast<unsigned char>(byte) & 0xc0) != 0x80 ? 1 : 0;
    EXPECT_LE(width, 90u) << line << ": numbers are not cut";
  }
  EXPECT_THAT(output_, HasSubstr("\u2026"));
}

TEST_F(ExplorerTest, Groups) {
  const json stacks = Json("stacks reach=definite,indirect")["rows"];
  ASSERT_EQ(stacks.size(), 1u);
  EXPECT_EQ(stacks[0]["bytes"], 3150);
  EXPECT_EQ(stacks[0]["blocks"], 4);
  EXPECT_THAT(std::string(stacks[0]["function"]), StartsWith("depot::LoseTrack(int*)"));

  const json types = Json("types class=Entry")["rows"];
  ASSERT_EQ(types.size(), 1u);
  EXPECT_EQ(types[0], (json{{"bytes", 144}, {"retained", 6344}, {"blocks", 3}, {"type", "depot::Entry"}}));

  const json leaks = Json("leaks");
  EXPECT_EQ(leaks["classes"].size(), 3u);
  EXPECT_EQ(leaks["classes"][0], (json{{"class", "definite"}, {"blocks", 2}, {"bytes", 3100}}));
  EXPECT_EQ(leaks["rows"].size(), 3u);
  EXPECT_EQ(leaks["rows"][2]["class"], "possible");
  EXPECT_THAT(Text("leaks reach=reachable"), HasSubstr("No block is lost."));

  const json marks = Json("marks")["rows"];
  ASSERT_EQ(marks.size(), 3u);
  EXPECT_EQ(marks[0]["mark"], 7);
  EXPECT_EQ(marks[0]["name"], nullptr);
  EXPECT_EQ(marks[1]["name"], "worker");
  EXPECT_EQ(marks[1]["blocks"], 5);
  EXPECT_EQ(marks[2]["live_then"], -5);

  const json threads = Json("threads")["rows"];
  EXPECT_EQ(threads[0], (json{{"thread", 4712}, {"name", "worker"}, {"blocks", 5}, {"bytes", 405}}));
}

TEST_F(ExplorerTest, Peak) {
  const nlohmann::json answer = Json("peak");
  const nlohmann::json stacks = Json("stacks");
  ASSERT_GT(answer["rows"].size(), 3u);
  EXPECT_EQ(answer["rows"].size(), stacks["rows"].size()) << "what is live is the peak here";
  uint64_t bytes = 0;
  for (const nlohmann::json& row : answer["rows"]) bytes += row["peak_bytes"].get<uint64_t>();
  EXPECT_EQ(answer["total"]["shown_bytes"], bytes);
  EXPECT_EQ(answer["rows"][0]["peak_bytes"], stacks["rows"][0]["bytes"]);
  EXPECT_EQ(answer["rows"][0]["function"], stacks["rows"][0]["function"]);
  EXPECT_THAT(Text("peak"), testing::HasSubstr("which are live now"));
}

TEST_F(ExplorerTest, Show) {
  const json show = Json("show " + Hex(kFirstEntry));
  EXPECT_EQ(show["block"]["type"], "depot::Entry");
  EXPECT_EQ(show["block"]["mark"], "8 \"worker\"");
  EXPECT_EQ(show["block"]["references"], 1);
  EXPECT_EQ(show["block"]["referrers"], 2);
  EXPECT_EQ(show["block"]["retained"], 1248);
  EXPECT_THAT(std::string(show["block"]["held_by"]), HasSubstr("depot::g_cache+0x8 in "));
  ASSERT_EQ(show["frames"].size(), 2u);
  EXPECT_EQ(show["frames"][1]["function"], "depot::OpenSession(char const*)");
  EXPECT_THAT(std::string(show["frames"][1]["place"]), HasSubstr("sample_heap.cc:"));
  EXPECT_EQ(Json("show 0x70008")["block"]["address"], Hex(kFirstEntry)) << "an address in the block";
  EXPECT_EQ(Json("show 458760")["block"]["address"], Hex(kFirstEntry));
}

TEST_F(ExplorerTest, References) {
  const json refs = Json("refs " + Hex(kCache))["rows"];
  ASSERT_EQ(refs.size(), 2u);
  EXPECT_EQ(refs[1]["at"], 16);
  EXPECT_EQ(refs[1]["to"], Hex(kEntries));
  EXPECT_EQ(refs[1]["into"], 24);
  EXPECT_EQ(refs[1]["size"], 800);
  EXPECT_THAT(Text("refs " + Hex(kLongText)), HasSubstr("holds no pointer to a block"));

  const json refby = Json("refby " + Hex(kEntries))["rows"];
  ASSERT_EQ(refby.size(), 2u);
  EXPECT_EQ(refby[0]["from"], Hex(kCache));
  EXPECT_EQ(refby[0]["what"], "depot::Cache");
  const json roots = Json("refby " + Hex(kInside))["rows"];
  ASSERT_EQ(roots.size(), 1u);
  EXPECT_EQ(roots[0]["from"], "0x7fff1040");
  EXPECT_EQ(roots[0]["into"], 16);
  EXPECT_EQ(roots[0]["what"], "stack of thread 4712 \"worker\" at 0x7fff1040");
  EXPECT_THAT(Text("refby " + Hex(kLost)), HasSubstr("Nothing points to 0x100000."));
}

TEST_F(ExplorerTest, Paths) {
  const json path = Json("path " + Hex(kThirdEntry))["rows"];
  ASSERT_EQ(path.size(), 4u);
  EXPECT_THAT(std::string(path[0]["what"]), StartsWith("depot::g_cache+0x8 in "));
  EXPECT_EQ(path[1]["what"], "depot::Cache");
  EXPECT_EQ(path[1]["at"], 8);
  EXPECT_EQ(path[2]["at"], 16);
  EXPECT_EQ(path[3]["address"], Hex(kThirdEntry));
  EXPECT_EQ(path[3]["at"], nullptr);
  const json two = Json("path " + Hex(kFirstEntry) + " 9")["rows"];
  EXPECT_EQ(two.back()["path"], 2);
  EXPECT_THAT(Text("path " + Hex(kFirstEntry)), HasSubstr("2 words point to it; 'path 0x70000 5' shows other ways"));
  EXPECT_THAT(Text("path " + Hex(kBelowLost)), HasSubstr("it hangs on the lost block 0x100000"));
  EXPECT_THAT(Text("path " + Hex(kCycle)), HasSubstr("only lost blocks point to it"));
}

TEST_F(ExplorerTest, Dominators) {
  const json top = Json("dominators")["rows"];
  EXPECT_EQ(top[0]["what"], "depot::g_cache");
  EXPECT_EQ(top[0]["retained"], 5960);
  EXPECT_EQ(top[0]["size"], nullptr);
  EXPECT_EQ(top[1]["address"], Hex(kLost));
  const json list = Json("dominators " + Hex(kSecondNode));
  ASSERT_EQ(list["above"].size(), 4u);
  EXPECT_EQ(list["above"][0]["what"], "stack of thread 4712 \"worker\"");
  EXPECT_EQ(list["above"][3]["address"], Hex(kSecondNode));
  ASSERT_EQ(list["below"].size(), 1u);
  EXPECT_EQ(list["below"][0]["address"], Hex(kThirdNode));

  EXPECT_THAT(Addresses("retained top 2"), ElementsAre(Hex(kCache), Hex(kEntries)));
  EXPECT_THAT(Addresses("retained shape=list-node"), ElementsAre(Hex(kFirstNode))) << "the others hang on it";
  EXPECT_EQ(Addresses("retained all shape=list-node").size(), 3u);

  const json roots = Json("roots")["rows"];
  ASSERT_EQ(roots.size(), 2u);
  EXPECT_EQ(roots[0]["kind"], "global");
  EXPECT_EQ(roots[0]["name"], "depot::g_cache");
  EXPECT_EQ(roots[1]["words"], 2);
  EXPECT_EQ(roots[1]["thread"], 4712);
}

TEST_F(ExplorerTest, Sets) {
  EXPECT_EQ(Text("sets"), "There is no set yet; 'let NAME = blocks ...' makes one.\n");
  EXPECT_EQ(Text("let new_ones = blocks mark>=9"), "new_ones: 9 blocks, 3555 bytes (3.5K)\n");
  Text("let lost=blocks reach=definite,indirect");
  EXPECT_EQ(Json("sets")["rows"][0], (json{{"set", "lost"}, {"blocks", 4}, {"bytes", 3150}}));
  EXPECT_EQ(Addresses("new_ones & lost").size(), 4u);
  EXPECT_EQ(Addresses("new_ones - lost").size(), 5u);
  EXPECT_EQ(Addresses("new_ones|lost").size(), 9u);
  EXPECT_EQ(Addresses("(new_ones - lost) | lost").size(), 9u);
  EXPECT_EQ(Addresses("new_ones - (lost | new_ones)").size(), 0u);
  EXPECT_THAT(Addresses("lost size>=1K"), ElementsAre(Hex(kLost)));
  EXPECT_EQ(Addresses("blocks in new_ones - lost door=malloc").size(), 5u);
  EXPECT_EQ(Addresses("retained all in lost & new_ones top 3").size(), 3u);
  EXPECT_EQ(Json("types in lost")["rows"].size(), 1u);
  Text("let rest = new_ones - lost");
  Text("let three = blocks in rest sort size top 3");
  EXPECT_THAT(Chosen("in three"), ElementsAre(Hex(kSession), Hex(kFirstNode), Hex(kInside)));
  Text("let lost = blocks size=3000");
  EXPECT_EQ(Addresses("lost").size(), 1u) << "a name can be given anew";
}

TEST_F(ExplorerTest, Csv) {
  const std::string csv = Text("blocks top 1 sort -size as csv");
  EXPECT_THAT(csv, StartsWith("address,size,type,reach,door,mark,stack,function\r\n0x140000,10,(unknown),indirect,new[],9,3,"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 2);
  EXPECT_THAT(Text("leaks as csv"), HasSubstr("\r\n\r\nclass,bytes"));
}

TEST_F(ExplorerTest, Help) {
  const std::string help = Text("help");
  for (const ExplorerCommand& command : ExplorerCommands()) {
    EXPECT_THAT(help, HasSubstr(std::string("  ") + command.name + " ")) << command.name;
    EXPECT_THAT(Text(std::string("help ") + command.name), StartsWith(command.name));
  }
  EXPECT_THAT(Text("help filters"), AllOf(HasSubstr("size>=1K"), HasSubstr("thread=TID")));
  EXPECT_THAT(Error("help bloks"), HasSubstr("did you mean 'blocks'?"));
}

TEST_F(ExplorerTest, CommentsAndEmptyLinesAreNone) {
  EXPECT_EQ(Text(""), "");
  EXPECT_EQ(Text("  # blocks"), "");
  EXPECT_THAT(Addresses("blocks size=77"), ElementsAre(Hex(kInside)));
  Text("quit");
  EXPECT_TRUE(explorer_.quit());
}

TEST_F(ExplorerTest, SignsAreNoPartOfACommand) {
  for (const char* const line : {"help ! path", "quit = 1", "blocks >= 5", "sets != x", "let a = blocks < 3"}) {
    EXPECT_NE(Error(line), "") << line;
  }
  EXPECT_FALSE(explorer_.quit());
}

TEST_F(ExplorerTest, WrongLinesAreToldInASentence) {
  Text("let a = blocks");
  for (const char* const line : {"bloks",
                                 "blocks x",
                                 "blocks size>=1X",
                                 "blocks size>=",
                                 "blocks size>=-1",
                                 "blocks sizes>=1",
                                 "blocks door=old",
                                 "blocks door>new",
                                 "blocks reach=lost",
                                 "blocks shape=round",
                                 "blocks function=",
                                 "blocks function<x",
                                 "blocks mark=none",
                                 "blocks stack=x",
                                 "blocks thread=worker",
                                 "blocks address=x",
                                 "blocks address=0x5..0x4",
                                 "blocks address<0x4..0x5",
                                 "blocks top",
                                 "blocks top 0",
                                 "blocks top -1",
                                 "blocks limit x",
                                 "blocks sort",
                                 "blocks sort none",
                                 "blocks as xml",
                                 "blocks as",
                                 "blocks in",
                                 "blocks in b",
                                 "blocks in a b",
                                 "blocks in a &",
                                 "blocks in (a",
                                 "blocks in a)",
                                 "stacks sort type",
                                 "summary x",
                                 "summary size>1",
                                 "summary in a",
                                 "summary sort pid",
                                 "show",
                                 "show x",
                                 "show 0x1",
                                 "show 0x70000 1",
                                 "refs",
                                 "refby 0x50040",
                                 "path",
                                 "path 0x70000 0",
                                 "path 0x70000 x",
                                 "dominators 0x1",
                                 "retained each",
                                 "roots size>1",
                                 "let",
                                 "let b",
                                 "let b =",
                                 "let 1b = blocks",
                                 "let blocks = a",
                                 "let top = a",
                                 "let b = stacks",
                                 "let b = a x",
                                 "let b = c",
                                 "help x",
                                 "quit now",
                                 "b & a",
                                 "'blocks",
                                 "blocks size>=0x",
                                 "sets x"}) {
    const std::string error = Error(line);
    EXPECT_THAT(error, Not(HasSubstr("\n"))) << line;
    EXPECT_GT(error.size(), 10u) << line;
  }
  EXPECT_THAT(Error("blocks sizes>=1"), HasSubstr("did you mean 'size'?"));
  EXPECT_THAT(Error("blocks reach=definit"), HasSubstr("did you mean 'definite'?"));
  EXPECT_THAT(Error("show 0x70030"), HasSubstr("no live block is at 0x70030"));
  EXPECT_THAT(Error("\x1b[2J"), HasSubstr("\\x1b[2J"));
  EXPECT_THAT(Error("blocks in " + std::string(500, '(')), HasSubstr("too many parentheses"));
}

}  // namespace
}  // namespace mallocspy

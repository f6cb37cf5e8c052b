#include "tools/explore/content_answers.h"

#include "tests/scratch_directory.h"
#include "tests/tools/explore/explorer_fixture.h"

namespace mallocspy {
namespace {

// Block 0 has 40 bytes, block 1 has 400.
LedgerBuilder TwoBlocks() {
  LedgerBuilder ledger;
  const uint32_t program = ledger.AddModule("/nowhere/prog", "", 0x100000, ledger::kModuleExecutable);
  const uint32_t stack = ledger.AddStack({{program, 0x10}}, Door::kMalloc);
  ledger.AddBlock(stack, SampleAddress(0), 40);
  ledger.AddBlock(stack, SampleAddress(1), 400);
  ledger.AddRootReference(ledger::RootKind::kGlobal, 0, 0x102000, 0);
  ledger.End(ledger::End::kPicture, 0);
  return ledger;
}

class ContentWords : public ExplorerTest {
 protected:
  ContentWords() : ExplorerTest(Heap()) {}
  static LedgerBuilder Heap() {
    LedgerBuilder ledger = TwoBlocks();
    ledger.AddContentWord(0, 2, 0x100777);
    ledger.AddContentWord(0, 4, 0x7fff0000);
    ledger.AddContentWord(1, 0, 0x100888);
    return ledger;
  }
};

TEST_F(ContentWords, AreNamedAsFarAsCanBe) {
  const nlohmann::json words = Json("show " + Hex(0))["words"];
  EXPECT_EQ(words, nlohmann::json::parse(R"([{"at": 16, "value": "0x100777", "points_to": "0x777 in prog"},
                                             {"at": 32, "value": "0x7fff0000", "points_to": "memory of no block"}])"));
  EXPECT_EQ(Json("show " + Hex(1))["words"].size(), 1u);
}

class ContentBytes : public ExplorerTest {
 protected:
  ContentBytes() : ExplorerTest(Heap()) {}
  static LedgerBuilder Heap() {
    LedgerBuilder ledger = TwoBlocks();
    ledger.SetContentBytes(std::string("ab\x1b[31m\xff", 8) + std::string("\x77\x07\x10\0\0\0\0\0", 8) + std::string(24, '\0') + std::string(400, 'x'));
    return ledger;
  }
};

TEST_F(ContentBytes, AreTakenFromTheFileOfTheSnapshot) {
  const std::string missing = Error("show " + Hex(0));
  EXPECT_THAT(missing, testing::HasSubstr("heap.mspy"));
  const ScratchDirectory scratch;
  absl::StatusOr<Snapshot> snapshot = ReadSnapshotFile(scratch.Write("heap.mspy", Heap().Bytes()));
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  ExploredHeap heap(*std::move(snapshot), false);
  std::string text;
  Explorer explorer(&heap, TableFormat::kTable, 0, [&text](absl::string_view piece) {
    text.append(piece.data(), piece.size());
    return true;
  });
  ASSERT_TRUE(explorer.ExecuteLine("show " + Hex(0) + " as json").ok());
  const nlohmann::json shown = nlohmann::json::parse(text);
  ASSERT_EQ(shown["contents"].size(), 3u);
  EXPECT_EQ(shown["contents"][0]["bytes"], "61 62 1b 5b 33 31 6d ff  77 07 10 00 00 00 00 00");
  EXPECT_EQ(shown["contents"][0]["text"], "ab.[31m.w.......") << "nothing that a terminal would obey";
  EXPECT_EQ(shown["contents"][2]["bytes"], "00 00 00 00 00 00 00 00");
  EXPECT_EQ(shown["words"], nlohmann::json::parse(R"([{"at": 8, "value": "0x100777", "points_to": "0x777 in prog"}])"));
  text.clear();
  ASSERT_TRUE(explorer.ExecuteLine("show " + Hex(1) + " top 2").ok());
  EXPECT_THAT(text, testing::HasSubstr("2 of 25 rows are shown"));
  EXPECT_EQ(text.find("32  78"), std::string::npos);
}

TEST_F(ExplorerTest, WithoutContentsItSaysHowToHaveThem) { EXPECT_THAT(Text("show " + Hex(kCache)), testing::HasSubstr("--contents=full")); }

}  // namespace
}  // namespace mallocspy

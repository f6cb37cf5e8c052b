#include "tools/reader/block_contents.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/tools/ledger_builder.h"
#include "tools/reader/reader.h"

namespace mallocspy {
namespace {

// Blocks of 3, 0 and 17 bytes.
std::string SampleBytes() {
  LedgerBuilder ledger;
  const uint32_t program = ledger.AddModule("/bin/prog", "", 0x1000, ledger::kModuleExecutable);
  const uint32_t stack = ledger.AddStack({{program, 0x10}}, Door::kMalloc);
  ledger.AddBlock(stack, 0x5000, 3);
  ledger.AddBlock(stack, 0x6000, 0);
  ledger.AddBlock(stack, 0x7000, 17);
  ledger.AddRootReference(ledger::RootKind::kGlobal, 0, 0x2000, 0);
  ledger.SetContentBytes("abc" + std::string(5, '\0') + "0123456789abcdefg" + std::string(7, '\0'));
  ledger.End(ledger::End::kPicture, 0);
  return ledger.Bytes();
}

TEST(BlockContents, AreFoundByBlock) {
  const std::string bytes = SampleBytes();
  const MemorySource source(bytes);
  const absl::StatusOr<Snapshot> snapshot = ReadSnapshot(source, "x");
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ(snapshot->contents, ledger::Contents::kFull);
  const BlockContents contents(*snapshot, &source);
  EXPECT_EQ(contents.Read(0, 0, 100).value(), "abc");
  EXPECT_EQ(contents.Read(1, 0, 100).value(), "");
  EXPECT_EQ(contents.Read(2, 0, 100).value(), "0123456789abcdefg");
  EXPECT_EQ(contents.Read(2, 15, 100).value(), "fg");
  EXPECT_EQ(contents.Read(2, 3, 2).value(), "34");
  EXPECT_EQ(contents.Read(2, 17, 1).value(), "");
}

TEST(BlockContents, AreRefusedWhereTheFileEnds) {
  const std::string bytes = SampleBytes();
  const MemorySource source(bytes);
  absl::StatusOr<Snapshot> snapshot = ReadSnapshot(source, "x");
  ASSERT_TRUE(snapshot.ok());
  snapshot->content_bytes.count = 20;
  const BlockContents contents(*snapshot, &source);
  EXPECT_TRUE(contents.Read(0, 0, 3).ok());
  EXPECT_FALSE(contents.Read(2, 0, 17).ok());
  snapshot->blocks[0].size = UINT64_MAX;
  const BlockContents hostile(*snapshot, &source);
  EXPECT_FALSE(hostile.Read(0, 0, 100).ok());
  EXPECT_FALSE(hostile.Read(2, 0, 1).ok());
}

TEST(BlockContents, BehindTheEndAreDamage) {
  LedgerBuilder ledger;
  ledger.AddRootReference(ledger::RootKind::kGlobal, 0, 0x2000, 0);
  ledger.header().contents = ledger::Contents::kFull;
  ledger.End(ledger::End::kPicture, 0);
  std::string bytes = ledger.Bytes();
  auto* header = reinterpret_cast<ledger::Header*>(bytes.data());
  for (const ledger::List list : {ledger::List{bytes.size() + 1, 0}, ledger::List{8, bytes.size()}, ledger::List{8, UINT64_MAX}}) {
    header->content_bytes = list;
    const absl::StatusOr<Snapshot> snapshot = ReadSnapshot(MemorySource(bytes), "x");
    ASSERT_FALSE(snapshot.ok());
    EXPECT_EQ(snapshot.status().message(), "x is damaged: the blocks' contents lie behind its end");
  }
}

}  // namespace
}  // namespace mallocspy

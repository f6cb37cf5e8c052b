#include "tools/verdict/heap_diff.h"

#include <gtest/gtest.h>

#include "tests/tools/ledger_builder.h"
#include "tools/reader/reader.h"

namespace mallocspy {
namespace {

// Dumps of one process, which began its marks `next` with them.
class Dump {
 public:
  explicit Dump(uint64_t next) {
    ledger_.SetProgram("/nowhere/prog", {"prog"});
    const uint32_t module = ledger_.AddModule("/nowhere/prog", "\xab", 0x1000, ledger::kModuleExecutable);
    first_ = ledger_.AddStack({{module, 0x10}}, Door::kMalloc);
    second_ = ledger_.AddStack({{module, 0x20}}, Door::kNew);
    ledger_.header().next_mark = next;
  }
  LedgerBuilder& ledger() { return ledger_; }
  uint32_t first() const { return first_; }
  uint32_t second() const { return second_; }
  Snapshot Read() {
    ledger_.End(ledger::End::kPicture, 0);
    bytes_ = ledger_.Bytes();
    const absl::StatusOr<Snapshot> snapshot = ReadSnapshot(MemorySource(bytes_), "x");
    EXPECT_TRUE(snapshot.ok()) << snapshot.status();
    return *snapshot;
  }

 private:
  LedgerBuilder ledger_;
  std::string bytes_;
  uint32_t first_, second_;
};

TEST(HeapDiff, TellsWhatWasMadeAndWhatIsGone) {
  Dump earlier(5), later(9);
  earlier.ledger().AddBlock(earlier.first(), 0x1000, 10, 1);
  earlier.ledger().AddBlock(earlier.first(), 0x2000, 20, 4);
  earlier.ledger().AddBlock(earlier.second(), 0x3000, 30, 2);
  later.ledger().AddBlock(later.first(), 0x1000, 10, 1);    // stayed
  later.ledger().AddBlock(later.second(), 0x2000, 200, 5);  // at the address of one that is gone
  later.ledger().AddBlock(later.first(), 0x4000, 40, 8);
  FrameNamer namer(false);
  const HeapDiff diff = DiffHeaps(earlier.Read(), later.Read(), &namer);
  EXPECT_EQ(diff.stayed.blocks, 1u);
  EXPECT_EQ(diff.made.blocks, 2u);
  EXPECT_EQ(diff.made.bytes, 240u);
  EXPECT_EQ(diff.gone.blocks, 2u);
  EXPECT_EQ(diff.gone.bytes, 50u);
  ASSERT_EQ(diff.changes.size(), 2u);
  EXPECT_EQ(diff.changes[0].door, Door::kNew);
  EXPECT_EQ(diff.changes[0].made.bytes, 200u);
  EXPECT_EQ(diff.changes[0].gone.bytes, 30u);
  ASSERT_EQ(diff.changes[1].frames.size(), 1u);
  EXPECT_EQ(diff.changes[1].frames[0].offset, 0x10u);
  EXPECT_EQ(diff.changes[1].made.bytes, 40u);
  EXPECT_EQ(diff.changes[1].gone.bytes, 20u);
}

TEST(HeapDiff, MarksThatWereRenumbered) {
  Dump earlier(40000), later(40002);
  earlier.ledger().AddBlock(earlier.first(), 0x1000, 10, 39999);
  later.ledger().header().marks_dropped = 32768;
  later.ledger().AddBlock(later.first(), 0x1000, 10, 39999 - 32768);
  later.ledger().AddBlock(later.first(), 0x2000, 20, 40000 - 32768);
  FrameNamer namer(false);
  const HeapDiff diff = DiffHeaps(earlier.Read(), later.Read(), &namer);
  EXPECT_EQ(diff.stayed.blocks, 1u);
  EXPECT_EQ(diff.made.bytes, 20u);
  EXPECT_EQ(diff.gone.blocks, 0u);
}

TEST(HeapDiff, OnlyOfDumpsOfOneProcessInTheirOrder) {
  Dump earlier(5), later(9), plain(0), other(9);
  other.ledger().header().started_ns = 77;
  EXPECT_TRUE(AreDumpsOfOneProcess(earlier.Read(), later.Read()));
  EXPECT_FALSE(AreDumpsOfOneProcess(later.Read(), earlier.Read()));
  EXPECT_FALSE(AreDumpsOfOneProcess(plain.Read(), later.Read()));
  EXPECT_FALSE(AreDumpsOfOneProcess(earlier.Read(), other.Read()));
}

}  // namespace
}  // namespace mallocspy

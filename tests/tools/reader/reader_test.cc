#include "tools/reader/reader.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <random>

#include "tests/tools/ledger_builder.h"
#include "tests/scratch_directory.h"
#include "tools/verdict/assessment.h"

namespace mallocspy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A ledger with something in every table.
LedgerBuilder FullLedger() {
  LedgerBuilder ledger;
  ledger.SetProgram("/nowhere/bin/prog", {"prog", "--flag", ""});
  const uint32_t program = ledger.AddModule("/nowhere/bin/prog", "\x01\xab", 0x400000, ledger::kModuleExecutable);
  const uint32_t library = ledger.AddModule("/nowhere/lib/libfoo.so", "\x02", 0x7f0000000000);
  const uint32_t self = ledger.AddModule("/nowhere/lib/libmallocspy.so", "", 0x7e0000000000, ledger::kModuleSelf);
  const uint32_t first = ledger.AddStack({{self, 0x9}, {library, 0x10}, {program, 0x20}}, Door::kMalloc);
  const uint32_t second =
      ledger.AddStack({{0, 0x123456789abc}, {program, 0x28}}, Door::kNewArray, ledger::kStackTruncated);
  ledger.CountAllocations(first, 10, 1000);
  ledger.CountFrees(first, 10, 1000);
  ledger.AddBlock(first, 0x5000, 40);
  ledger.AddBlock(second, 0x6000, 8, 3);
  ledger.AddType(program, 0x3010);
  ledger.AddReference(0, 2, 1);
  ledger.AddReference(0, 4, 1, 3);
  ledger.AddRootReference(ledger::RootKind::kStack, 4712, 0x7fff1000, 0);
  ledger.AddRootReference(ledger::RootKind::kGlobal, 0, 0x404000, 1, 5);
  ledger.AddMark(2, "warm");
  ledger.AddMark(9, "", 77, -5);
  ledger.header().marks_dropped = 6;
  ledger.header().next_mark = 10;
  ledger.AddThread(4711, "prog");
  ledger.AddThread(4712, "worker");
  auto& error = ledger.AddError(ledger::ErrorKind::kSpyContract);
  error.block_door = static_cast<uint8_t>(Door::kMalloc);
  error.used_door = static_cast<uint8_t>(Door::kNew);
  error.address = 0x5000;
  error.size = 40;
  error.value = 7;
  error.where = ledger.AddNode({{program, 0x30}});
  error.tid = 4712;
  error.detail = ledger.AddString("PreAlloc returned fewer bytes than asked");
  error.count = 3;
  ledger.header().degraded = ledger::kDeepbindStripped;
  ledger.header().peak_bytes = 512;
  ledger.header().foreign_frees = 5;
  ledger.header().page_guarded = 6;
  ledger.header().bytes_only[1] = 8;
  ledger.header().mapping_limit = 99;
  ledger.End(ledger::End::kExit, 3);
  return ledger;
}

absl::StatusOr<Snapshot> Read(const std::string& bytes) { return ReadSnapshot(MemorySource(bytes), "x.mspy"); }

std::string ErrorOf(const std::string& bytes) {
  const absl::StatusOr<Snapshot> snapshot = Read(bytes);
  return snapshot.ok() ? "no error" : std::string(snapshot.status().message());
}

TEST(Reader, ReadsEverything) {
  const absl::StatusOr<Snapshot> read = Read(FullLedger().Bytes());
  ASSERT_TRUE(read.ok()) << read.status();
  const Snapshot& snapshot = *read;
  EXPECT_EQ(snapshot.file, "x.mspy");
  EXPECT_EQ(snapshot.state, ledger::State::kEnded);
  EXPECT_EQ(snapshot.end, ledger::End::kExit);
  EXPECT_EQ(snapshot.end_value, 3);
  EXPECT_EQ(snapshot.pid, 4711u);
  EXPECT_EQ(snapshot.exe, "/nowhere/bin/prog");
  EXPECT_THAT(snapshot.cmdline, ElementsAre("prog", "--flag", ""));
  EXPECT_TRUE(snapshot.interposed);
  EXPECT_TRUE(snapshot.blocks_known);
  EXPECT_EQ(snapshot.damaged_records, 0u);
  EXPECT_EQ(snapshot.degraded, ledger::kDeepbindStripped);
  EXPECT_EQ(snapshot.peak_bytes, 512u);
  EXPECT_EQ(snapshot.foreign_frees, 5u);
  EXPECT_EQ(snapshot.page_guarded, 6u);
  EXPECT_THAT(snapshot.bytes_only, ElementsAre(0, 8, 0));
  EXPECT_EQ(snapshot.mapping_limit, 99u);

  ASSERT_EQ(snapshot.modules.size(), 4u);
  EXPECT_EQ(snapshot.modules[1].path, "/nowhere/bin/prog");
  EXPECT_EQ(snapshot.modules[1].build_id, "\x01\xab");
  EXPECT_TRUE(snapshot.modules[1].executable);
  EXPECT_EQ(snapshot.modules[2].bias, 0x7f0000000000u);
  EXPECT_TRUE(snapshot.modules[3].self);

  ASSERT_EQ(snapshot.stacks.size(), 3u);
  EXPECT_EQ(snapshot.stacks[1].allocations, 11u);
  EXPECT_EQ(snapshot.stacks[1].allocated_bytes, 1040u);
  EXPECT_EQ(snapshot.stacks[1].live_blocks(), 1u);
  EXPECT_EQ(snapshot.stacks[1].live_bytes(), 40u);
  EXPECT_FALSE(snapshot.stacks[1].truncated);
  EXPECT_TRUE(snapshot.stacks[2].truncated);
  EXPECT_EQ(snapshot.stacks[2].door, Door::kNewArray);
  EXPECT_EQ(snapshot.nodes[snapshot.stacks[2].node].site, 0x123456789abcu);

  ASSERT_EQ(snapshot.threads.size(), 2u);
  EXPECT_EQ(snapshot.threads[1].name, "worker");
  ASSERT_EQ(snapshot.errors.size(), 1u);
  EXPECT_EQ(snapshot.errors[0].kind, ledger::ErrorKind::kSpyContract);
  EXPECT_EQ(snapshot.errors[0].detail, "PreAlloc returned fewer bytes than asked");
  EXPECT_EQ(snapshot.errors[0].count, 3u);
  ASSERT_EQ(snapshot.blocks.size(), 2u);
  EXPECT_EQ(snapshot.blocks[1].mark, 3);
  EXPECT_EQ(snapshot.blocks[1].stack, 2u);
}

TEST(Reader, ReadsTheGraphAndTheMarks) {
  const absl::StatusOr<Snapshot> read = Read(FullLedger().Bytes());
  ASSERT_TRUE(read.ok()) << read.status();
  const Snapshot& snapshot = *read;
  ASSERT_TRUE(snapshot.has_graph);
  ASSERT_EQ(snapshot.references.size(), 2u);
  EXPECT_EQ(snapshot.references[1].from, 0u);
  EXPECT_EQ(snapshot.references[1].to, 1u);
  EXPECT_EQ(snapshot.references[1].word, 4u);
  EXPECT_EQ(snapshot.references[1].offset, 3u);
  ASSERT_EQ(snapshot.root_references.size(), 2u);
  EXPECT_EQ(snapshot.root_references[1].to, 1u);
  EXPECT_EQ(snapshot.root_references[1].offset, 5u);
  const SnapshotRoot& root = snapshot.roots[snapshot.root_references[0].root];
  EXPECT_EQ(root.kind, ledger::RootKind::kStack);
  EXPECT_EQ(root.tid, 4712u);
  EXPECT_EQ(root.address, 0x7fff1000u);
  ASSERT_EQ(snapshot.types.size(), 2u);
  EXPECT_EQ(snapshot.types[1].module, 1u);
  EXPECT_EQ(snapshot.types[1].offset, 0x3010u);
  EXPECT_EQ(snapshot.blocks[1].type, 1u);
  EXPECT_EQ(snapshot.blocks[1].shape, ledger::Shape::kObject);
  ASSERT_EQ(snapshot.marks.size(), 2u);
  EXPECT_EQ(snapshot.marks[0].name, "warm");
  EXPECT_EQ(snapshot.marks[1].number, 9u);
  EXPECT_EQ(snapshot.marks[1].began_ns, 77u);
  EXPECT_EQ(snapshot.marks[1].live_bytes, -5);
  EXPECT_EQ(snapshot.marks_dropped, 6u);
  EXPECT_EQ(snapshot.next_mark, 10u);
}

TEST(Reader, ReferencesToNowhereAreDamage) {
  LedgerBuilder ledger = FullLedger();
  ledger.AddReference(1, 0, 2);
  ledger.AddReference(0, 5, 1);  // behind those of block 1
  ledger.AddRootReference(ledger::RootKind::kGlobal, 0, 0x404008, 2);
  ledger.AddRootReference(static_cast<ledger::RootKind>(99), 0, 0x404010, 1);
  ledger.last_block().type = 2;
  ledger.last_block().shape = static_cast<ledger::Shape>(200);
  ledger.AddMark(9, "again");
  const absl::StatusOr<Snapshot> snapshot = Read(ledger.Bytes());
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ(snapshot->damaged_records, 6u);
  EXPECT_EQ(snapshot->references.size(), 3u) << "the last is in order, as the one before it was left out";
  EXPECT_EQ(snapshot->root_references.size(), 2u);
  EXPECT_EQ(snapshot->blocks[1].type, 0u);
  EXPECT_EQ(snapshot->marks.size(), 2u);
}

TEST(Reader, ThePeakByStackIsTheCopyThatIsWhole) {
  LedgerBuilder ledger = FullLedger();
  ledger.SetPeak(1, 0, 7, 7000);
  ledger.SetPeak(1, 1, 8, 8000);
  ledger.SetPeak(2, 1, static_cast<uint64_t>(-1), static_cast<uint64_t>(-100));  // of several threads, at different moments
  ledger.header().peak_side = ledger::kSecondPeak;
  ledger.header().peaks[0] = {7000, 70, 3, 0};
  ledger.header().peaks[1] = {8100, 80, 3, 0};
  absl::StatusOr<Snapshot> snapshot = Read(ledger.Bytes());
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ(snapshot->stacks[1].peak_blocks, 8u);
  EXPECT_EQ(snapshot->stacks[1].peak_bytes, 8000u);
  EXPECT_EQ(snapshot->stacks[2].peak_bytes, 0u);
  EXPECT_EQ(snapshot->peak.bytes, 8000u);
  EXPECT_EQ(snapshot->peak.blocks, 8u);
  EXPECT_EQ(snapshot->peak.events_bytes, 80u);
  EXPECT_FALSE(snapshot->peak.is_end);
  ledger.header().peaks[1].stacks = 1;  // those made since are not in it
  EXPECT_EQ(Read(ledger.Bytes())->stacks[1].peak_bytes, 40u);
  ledger.header().peak_side = static_cast<ledger::PeakSide>(3);
  EXPECT_EQ(Read(ledger.Bytes())->damaged_records, 1u);
}

TEST(Reader, WithoutACopyThePeakIsWhatIsLive) {
  const absl::StatusOr<Snapshot> snapshot = Read(FullLedger().Bytes());
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_TRUE(snapshot->peak.is_end);
  EXPECT_EQ(snapshot->stacks[1].peak_bytes, 40u);
  uint64_t live_bytes = 0;
  for (const SnapshotStack& stack : snapshot->stacks) live_bytes += stack.live_bytes();
  EXPECT_EQ(snapshot->peak.bytes, live_bytes);
}

TEST(Reader, ReadsContentWords) {
  LedgerBuilder ledger = FullLedger();
  ledger.AddContentWord(0, 3, 0x1234);
  ledger.AddContentWord(1, 0, 0x5678);
  ledger.AddContentWord(0, 1, 1);  // out of order
  ledger.AddContentWord(2, 1, 1);  // of no block
  const absl::StatusOr<Snapshot> snapshot = Read(ledger.Bytes());
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ(snapshot->contents, ledger::Contents::kPointers);
  ASSERT_EQ(snapshot->content_words.size(), 2u);
  EXPECT_EQ(snapshot->content_words[0].word, 3u);
  EXPECT_EQ(snapshot->content_words[1].value, 0x5678u);
  EXPECT_EQ(snapshot->damaged_records, 2u);
  ledger.header().contents = static_cast<ledger::Contents>(3);
  EXPECT_EQ(Read(ledger.Bytes())->contents, ledger::Contents::kNone);
}

TEST(Reader, AStacksCountersAreTheSumOfAllThreads) {
  LedgerBuilder ledger = FullLedger();
  const uint32_t stack = ledger.AddStack({{0, 0x77}}, Door::kMalloc);
  ledger.CountAllocations(stack, 1, 10);
  for (int thread = 0; thread < 2; ++thread) {
    ledger.AddBank(0);
    ledger.CountInBank(stack, 5, 50, 3, 30);
  }
  ledger.KeepLiveBytes(100, 1000000);
  const absl::StatusOr<Snapshot> snapshot = Read(ledger.Bytes());
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ(snapshot->stacks[stack].allocations, 11u);
  EXPECT_EQ(snapshot->stacks[stack].allocated_bytes, 110u);
  EXPECT_EQ(snapshot->stacks[stack].frees, 6u);
  EXPECT_EQ(snapshot->stacks[stack].freed_bytes, 60u);
  EXPECT_EQ(snapshot->peak_bytes, 1000000u) << "a killed process did not add what its thread kept";
  EXPECT_EQ(snapshot->damaged_records, 0u);
  // A bank behind the last stack: its counts are nobody's.
  ledger.AddBank(ledger::kStacksPerBank * 1000);
  ledger.CountInBank(0, 1, 1, 0, 0);
  const absl::StatusOr<Snapshot> damaged = Read(ledger.Bytes());
  ASSERT_TRUE(damaged.ok()) << damaged.status();
  EXPECT_EQ(damaged->damaged_records, 1u);
}

TEST(Reader, ReadsALedgerWithoutAnyEvent) {
  LedgerBuilder ledger;
  ledger.End(ledger::End::kExit, 0);
  const absl::StatusOr<Snapshot> snapshot = Read(ledger.Bytes());
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ(snapshot->stacks.size(), 1u);
  EXPECT_EQ(snapshot->nodes.size(), 1u);
  EXPECT_TRUE(snapshot->errors.empty());
}

TEST(Reader, LedgerOfARunningProcessHasNoBlocks) {
  LedgerBuilder ledger = FullLedger();
  ledger.header().state = ledger::State::kRunning;
  const absl::StatusOr<Snapshot> snapshot = Read(ledger.Bytes());
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_FALSE(snapshot->blocks_known);
  EXPECT_TRUE(snapshot->blocks.empty());
}

TEST(Reader, UnwrittenBlocksAreNotKnown) {
  LedgerBuilder ledger = FullLedger();
  ledger.header().degraded = ledger::kBlocksUnwritten;
  const absl::StatusOr<Snapshot> snapshot = Read(ledger.Bytes());
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_FALSE(snapshot->blocks_known);
}

TEST(Reader, SaysWhatIsWrongWithAFile) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("x.mspy is empty"));
  EXPECT_THAT(ErrorOf("abc"), HasSubstr("is not a mallocspy snapshot"));
  EXPECT_THAT(ErrorOf(std::string(5000, 'x')), HasSubstr("is not a mallocspy snapshot"));
  const std::string bytes = FullLedger().Bytes();
  EXPECT_THAT(ErrorOf(bytes.substr(0, 100)), HasSubstr("not even its header is whole"));
  EXPECT_THAT(ErrorOf(bytes.substr(0, bytes.size() - 1)), HasSubstr("is cut off"));
  std::string as_text = bytes;
  as_text.replace(as_text.find("\r\n"), 2, "\n");
  EXPECT_THAT(ErrorOf(as_text), HasSubstr("changed by a copy as text"));
}

TEST(Reader, RefusesOtherVersions) {
  LedgerBuilder ledger = FullLedger();
  ledger.header().version = ledger::kVersion + 1;
  absl::StatusOr<Snapshot> snapshot = Read(ledger.Bytes());
  EXPECT_EQ(snapshot.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(snapshot.status().message()), HasSubstr("newer than this mallocspy"));
  ledger.header().version = ledger::kVersion - 1;
  snapshot = Read(ledger.Bytes());
  EXPECT_EQ(snapshot.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(snapshot.status().message()), HasSubstr("older than this mallocspy"));
}

// Bytes of a full ledger whose header was changed after it was laid out.
template <typename Change>
std::string WithHeader(Change change) {
  std::string bytes = FullLedger().Bytes();
  alignas(ledger::Header) unsigned char copy[sizeof(ledger::Header)];
  std::memcpy(copy, bytes.data(), sizeof(copy));
  change(reinterpret_cast<ledger::Header*>(copy));
  std::memcpy(bytes.data(), copy, sizeof(copy));
  return bytes;
}

ledger::Table& TableOf(ledger::Header* header, ledger::TableId id) { return header->tables[static_cast<size_t>(id)]; }

TEST(Reader, RefusesImpossibleTables) {
  using ledger::Header;
  using ledger::TableId;
  const auto nodes = [](Header* header) -> ledger::Table& { return TableOf(header, TableId::kNodes); };
  EXPECT_THAT(ErrorOf(WithHeader([&](Header* h) { nodes(h).count = ~uint64_t{0}; })), HasSubstr("claims"));
  EXPECT_THAT(ErrorOf(WithHeader([&](Header* h) { nodes(h).count = 100000; })), HasSubstr("outside of the file"));
  EXPECT_THAT(ErrorOf(WithHeader([&](Header* h) { nodes(h).first_records = 0; })), HasSubstr("impossible way"));
  EXPECT_THAT(ErrorOf(WithHeader([&](Header* h) { nodes(h).first_records = 3; })), HasSubstr("impossible way"));
  EXPECT_THAT(ErrorOf(WithHeader([&](Header* h) { nodes(h).record_bytes = 8; })), HasSubstr("records of 8 bytes"));
  EXPECT_THAT(ErrorOf(WithHeader([&](Header* h) { nodes(h).extents[1] = 0; })), HasSubstr("outside of the file"));
  EXPECT_THAT(ErrorOf(WithHeader([&](Header* h) { nodes(h).extents[0] = ~uint64_t{0} - 4095; })),
              HasSubstr("outside of the file"));
  EXPECT_THAT(ErrorOf(WithHeader([&](Header* h) { nodes(h).extents[0] += 8; })), HasSubstr("outside of the file"));
  EXPECT_THAT(ErrorOf(WithHeader([](Header* h) { h->used_bytes = 8; })), HasSubstr("smaller than its header"));
  EXPECT_THAT(ErrorOf(WithHeader([](Header* h) { h->used_bytes = ~uint64_t{0}; })), HasSubstr("is cut off"));
  EXPECT_THAT(ErrorOf(WithHeader([](Header* h) { h->blocks_count = uint64_t{1} << 60; })), HasSubstr("claims"));
  EXPECT_THAT(ErrorOf(WithHeader([](Header* h) { h->blocks_offset = 12; })), HasSubstr("outside of the file"));
  EXPECT_THAT(ErrorOf(WithHeader([](Header* h) { h->blocks_offset = 0; })), HasSubstr("lie nowhere"));
}

// Overwrites record `index` of a table whose extent 0 has `first` records, which must reach so far.
template <typename Record>
std::string WithRecord(const std::string& bytes, ledger::TableId id, uint32_t index, const Record& record) {
  std::string changed = bytes;
  ledger::Table table = {};
  std::memcpy(static_cast<void*>(&table),
              bytes.data() + offsetof(ledger::Header, tables) + sizeof(table) * static_cast<size_t>(id), sizeof(table));
  EXPECT_LT(index, table.first_records);
  std::memcpy(changed.data() + table.extents[0] + index * sizeof(Record), &record, sizeof(Record));
  return changed;
}

TEST(Reader, CountsDamagedRecordsAndReadsTheRest) {
  const std::string good = FullLedger().Bytes();
  for (const ledger::Node& node : {ledger::Node{0x10, 2, 0},           // its own parent
                                   ledger::Node{0x10, 3, 0},           // a parent that comes later: a cycle
                                   ledger::Node{0x10, 0xffffffff, 0},  // no such parent
                                   ledger::Node{uint64_t{99} << ledger::kSiteModuleShift, 0, 0}}) {
    const absl::StatusOr<Snapshot> snapshot = Read(WithRecord(good, ledger::TableId::kNodes, 2, node));
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
    EXPECT_EQ(snapshot->damaged_records, 1u);
    EXPECT_EQ(snapshot->blocks.size(), 2u);
    for (uint32_t i = 1; i < snapshot->nodes.size(); ++i) EXPECT_LT(snapshot->nodes[i].parent, i);
  }
}

TEST(Reader, RefusesALedgerThatIsMostlyDamage) {
  LedgerBuilder ledger;
  for (int i = 0; i < 1500; ++i) ledger.AddNode({{77, 1}});
  EXPECT_THAT(ErrorOf(ledger.Bytes()), HasSubstr("records are impossible"));
}

TEST(Reader, ReadsASparseFileOfATebibyte) {
  const ScratchDirectory scratch;
  const std::string path = scratch.Write("live.mspy", FullLedger().Bytes());
  if (truncate(path.c_str(), off_t{1} << 40) != 0) GTEST_SKIP() << "the file system has no files of a tebibyte";
  const absl::StatusOr<Snapshot> snapshot = ReadSnapshotFile(path);
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ(snapshot->blocks.size(), 2u);
}

TEST(Reader, DoesNotReadHolesAsRecords) {
  const ScratchDirectory scratch;
  const std::string bytes = WithHeader([](ledger::Header* header) {
    ledger::Table& nodes = TableOf(header, ledger::TableId::kNodes);
    header->used_bytes = uint64_t{1} << 40;
    nodes.first_records = uint32_t{1} << 31;
    nodes.count = uint64_t{1} << 28;
    nodes.extents[0] = uint64_t{1} << 30;
  });
  const std::string path = scratch.Write("hollow.mspy", bytes);
  if (truncate(path.c_str(), off_t{1} << 40) != 0) GTEST_SKIP() << "the file system has no files of a tebibyte";
  const absl::StatusOr<Snapshot> snapshot = ReadSnapshotFile(path);
  EXPECT_THAT(std::string(snapshot.status().message()), HasSubstr("hollow"));
}

TEST(Reader, ReadsAMemfdByItsDescriptor) {
  const std::string bytes = FullLedger().Bytes();
  const int memfd = memfd_create("ledger", 0);
  ASSERT_GE(memfd, 0);
  ASSERT_EQ(write(memfd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  const absl::StatusOr<Snapshot> snapshot = ReadSnapshotFile("/proc/self/fd/" + std::to_string(memfd));
  close(memfd);
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ(snapshot->pid, 4711u);
}

TEST(Reader, RefusesWhatIsNoFile) {
  const ScratchDirectory scratch;
  EXPECT_EQ(ReadSnapshotFile(scratch.File("none.mspy")).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(ReadSnapshotFile(scratch.path()).status().message()), HasSubstr("not a regular file"));
  const std::string fifo = scratch.File("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_THAT(std::string(ReadSnapshotFile(fifo).status().message()), HasSubstr("not a regular file"));
}

// What a reader is for: whatever the bytes are, it comes back, and what it gives is sound.
void ReadAndUse(const std::string& bytes) {
  const absl::StatusOr<Snapshot> snapshot = Read(bytes);
  if (!snapshot.ok()) {
    EXPECT_THAT(std::string(snapshot.status().message()), HasSubstr("x.mspy"));
    return;
  }
  FrameNamer namer(false);
  const Findings findings = Assess(*snapshot, {}, kAllLeaks, &namer);
  EXPECT_EQ(findings.leaks.size(), findings.leak_groups);
}

TEST(Reader, SurvivesEveryTruncation) {
  const std::string bytes = FullLedger().Bytes();
  for (size_t size = 0; size < bytes.size(); size += size < sizeof(ledger::Header) ? 1 : 61) {
    ReadAndUse(bytes.substr(0, size));
  }
}

TEST(Reader, SurvivesMutations) {
  const std::string good = FullLedger().Bytes();
  std::mt19937 random(20240229);  // NOLINT(bugprone-random-generator-seed,cert-msc51-cpp): the same on every run
  constexpr uint64_t kInteresting[] = {
      0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff, uint64_t{1} << 40, ~uint64_t{0}};
  for (int round = 0; round < 6000; ++round) {
    std::string bytes = good;
    const int changes = 1 + static_cast<int>(random() % 4);
    for (int i = 0; i < changes; ++i) {
      // The header and the starts of the extents, rather than the padding behind them.
      size_t at = random() % 2 == 0
                      ? random() % sizeof(ledger::Header)
                      : random() % (bytes.size() / ledger::kPageBytes) * ledger::kPageBytes + random() % 256;
      const uint64_t value = random() % 2 == 0 ? random() : kInteresting[random() % std::size(kInteresting)];
      const size_t width = size_t{1} << random() % 4;
      at = std::min(at, bytes.size() - width);
      std::memcpy(bytes.data() + at, &value, width);
    }
    ReadAndUse(bytes);
  }
}

}  // namespace
}  // namespace mallocspy

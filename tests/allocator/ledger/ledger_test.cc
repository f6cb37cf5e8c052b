#include "allocator/ledger/ledger.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "allocator/system/os_memory.h"
#include "tests/allocator/fresh_process.h"
#include "tests/allocator/ledger/small_file_system.h"
#include "tests/scratch_directory.h"

namespace mallocspy::ledger {
namespace {

std::unique_ptr<Ledger> PrivateLedger() {
  auto ledger = std::make_unique<Ledger>();
  EXPECT_TRUE(ledger->Create(nullptr, 4711));
  return ledger;
}

TEST(LedgerExtents, EveryIndexIsInTheExtentThatSaysSo) {
  for (const uint32_t first : {1u, 2u, 64u, 256u, 4096u}) {
    uint64_t end = 0;
    for (uint32_t extent = 0; extent < kMaxExtents && end < uint64_t{1} << 31; ++extent) {
      EXPECT_EQ(ExtentStart(extent, first), end) << "first " << first << " extent " << extent;
      const uint64_t last = end + ExtentRecords(extent, first) - 1;
      if (last < uint64_t{1} << 32) {
        EXPECT_EQ(ExtentOf(static_cast<uint32_t>(end), first), extent);
        EXPECT_EQ(ExtentOf(static_cast<uint32_t>(last), first), extent);
      }
      end = last + 1;
    }
    EXPECT_GE(end, uint64_t{1} << 31) << "the extents must reach every index, first " << first;
  }
}

TEST(Ledger, BeginsEmpty) {
  const auto ledger = PrivateLedger();
  const Header& header = ledger->header();
  EXPECT_EQ(header.magic, kMagic);
  EXPECT_EQ(header.version, kVersion);
  EXPECT_EQ(header.header_bytes, sizeof(Header));
  EXPECT_EQ(header.pid, 4711u);
  EXPECT_EQ(header.state.load(), State::kRunning);
  EXPECT_EQ(header.end.load(), End::kNone);
  EXPECT_EQ(header.base_mark, 1u);
  EXPECT_EQ(header.degraded.load(), 0u);
  EXPECT_EQ(header.used_bytes.load(), ledger->memory().used_bytes());
  // The unknown stack is counted from the first moment.
  EXPECT_EQ(ledger->At<Stack>(TableId::kStacks, 0)->shared.allocations.load(), 0u);
  EXPECT_EQ(ledger->At<Node>(TableId::kNodes, 0)->parent, 0u);
}

TEST(Ledger, RecordsKeepTheirPlaceWhileTablesGrow) {
  const auto ledger = PrivateLedger();
  std::vector<Node*> places;
  constexpr uint32_t kRecords = 100000;
  FutexLockHolder hold(ledger->lock());
  for (uint32_t i = 1; i <= kRecords; ++i) {
    ASSERT_EQ(ledger->Reserve(TableId::kNodes), i);
    Node* node = ledger->At<Node>(TableId::kNodes, i);
    ASSERT_EQ(node->site, 0u);
    node->site = i * 3;
    places.push_back(node);
    ledger->Publish(TableId::kNodes, i + 1);
    ASSERT_EQ(ledger->Count(TableId::kNodes), i + 1);
  }
  for (uint32_t i = 1; i <= kRecords; ++i) {
    ASSERT_EQ(ledger->At<Node>(TableId::kNodes, i), places[i - 1]);
    ASSERT_EQ(places[i - 1]->site, uint64_t{i} * 3);
  }
}

TEST(Ledger, WhatWasNotPublishedIsReservedAgain) {
  const auto ledger = PrivateLedger();
  FutexLockHolder hold(ledger->lock());
  EXPECT_EQ(ledger->Reserve(TableId::kStacks), 1u);
  EXPECT_EQ(ledger->Reserve(TableId::kStacks), 1u);
  ledger->Publish(TableId::kStacks, 2);
  EXPECT_EQ(ledger->Reserve(TableId::kStacks), 2u);
}

TEST(Ledger, EveryTableBeginsAtOne) {
  const auto ledger = PrivateLedger();
  FutexLockHolder hold(ledger->lock());
  for (uint32_t table = 0; table < static_cast<uint32_t>(TableId::kCount); ++table) {
    EXPECT_EQ(ledger->Reserve(static_cast<TableId>(table)), 1u) << table;
  }
}

TEST(Ledger, StringsNeverCrossAnExtent) {
  const auto ledger = PrivateLedger();
  std::vector<std::pair<StringRef, std::string>> strings;
  FutexLockHolder hold(ledger->lock());
  uint32_t length = 1;
  for (int i = 0; i < 3000; ++i) {
    length = (length * 1103515245 + 12345) % 4000 + 1;
    const std::string text(length, static_cast<char>('a' + i % 26));
    const StringRef reference = ledger->AddString(text.data(), text.size());
    ASSERT_EQ(reference.length, length);
    const uint32_t last = reference.offset + reference.length - 1;
    ASSERT_EQ(ExtentOf(reference.offset, 4096), ExtentOf(last, 4096));
    ASSERT_LE(last, ledger->Count(TableId::kStrings) - 1);
    strings.emplace_back(reference, text);
  }
  for (const auto& [reference, text] : strings) {
    ASSERT_EQ(std::memcmp(ledger->At<char>(TableId::kStrings, reference.offset), text.data(), text.size()), 0);
  }
}

TEST(Ledger, AStringLargerThanTheNextExtentSkipsSome) {
  const auto ledger = PrivateLedger();
  FutexLockHolder hold(ledger->lock());
  const std::string large(100000, 'x');
  const StringRef first = ledger->AddString("a", 1);
  const StringRef second = ledger->AddString(large.data(), large.size());
  const StringRef third = ledger->AddString("b", 1);
  EXPECT_EQ(first.length, 1u);
  ASSERT_EQ(second.length, large.size());
  EXPECT_EQ(std::memcmp(ledger->At<char>(TableId::kStrings, second.offset), large.data(), large.size()), 0);
  EXPECT_EQ(third.offset, second.offset + second.length);
}

TEST(Ledger, NoStringIsNone) {
  const auto ledger = PrivateLedger();
  FutexLockHolder hold(ledger->lock());
  const StringRef none = ledger->AddString("x", 0);
  EXPECT_EQ(none.length, 0u);
}

TEST(Ledger, SharedHasItsTablesInTheFile) {
  ScratchDirectory directory;
  Ledger ledger;
  ASSERT_TRUE(ledger.Create(directory.path().c_str(), 12));
  StringRef reference;
  {
    FutexLockHolder hold(ledger.lock());
    for (uint32_t i = 1; i < 5000; ++i) {
      ASSERT_EQ(ledger.Reserve(TableId::kNodes), i);
      *ledger.At<Node>(TableId::kNodes, i) = {i, i - 1, 0};
      ledger.Publish(TableId::kNodes, i + 1);
    }
    reference = ledger.AddString("hello", 5);
  }
  const int fd = open(directory.File("12.0.mspy").c_str(), O_RDONLY);
  ASSERT_GE(fd, 0);
  alignas(Header) unsigned char page[kPageBytes];
  ASSERT_EQ(pread(fd, page, sizeof(page), 0), static_cast<ssize_t>(sizeof(page)));
  const Header* header = reinterpret_cast<const Header*>(page);
  EXPECT_EQ(header->magic, kMagic);
  EXPECT_EQ(header->used_bytes.load(), ledger.memory().used_bytes());
  const Table& nodes = header->tables[static_cast<size_t>(TableId::kNodes)];
  EXPECT_EQ(nodes.count.load(), 5000u);
  EXPECT_EQ(nodes.record_bytes, sizeof(Node));
  for (uint32_t i = 1; i < 5000; ++i) {
    const uint32_t extent = ExtentOf(i, nodes.first_records);
    Node node;
    const uint64_t at = nodes.extents[extent] + (i - ExtentStart(extent, nodes.first_records)) * sizeof(Node);
    ASSERT_EQ(pread(fd, &node, sizeof(node), static_cast<off_t>(at)), static_cast<ssize_t>(sizeof(node)));
    ASSERT_EQ(node.site, i);
    ASSERT_EQ(node.parent, i - 1);
  }
  const Table& strings = header->tables[static_cast<size_t>(TableId::kStrings)];
  char text[5];
  ASSERT_EQ(pread(fd, text, 5, static_cast<off_t>(strings.extents[0] + reference.offset)), 5);
  EXPECT_EQ(std::string(text, 5), "hello");
  close(fd);
}

TEST(Ledger, WithoutTheDirectoryItIsPrivateAndSaysSo) {
  ScratchDirectory directory;
  Ledger ledger;
  ASSERT_TRUE(ledger.Create(directory.File("missing").c_str(), 12));
  EXPECT_FALSE(ledger.memory().shared());
  EXPECT_EQ(ledger.header().degraded.load(), uint64_t{kLedgerPrivate});
}

TEST(Ledger, AskedToBePrivateItIsNotDegraded) {
  const auto ledger = PrivateLedger();
  EXPECT_EQ(ledger->header().degraded.load(), 0u);
}

TEST(Ledger, WhenFullItSaysSoAndKeepsWhatItHas) {
  InFreshProcess([] {
    ScratchDirectory directory;
    const rlimit limit = {256 * 1024, 256 * 1024};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    Ledger ledger;
    ASSERT_TRUE(ledger.Create(directory.path().c_str(), 12));
    FutexLockHolder hold(ledger.lock());
    uint32_t records = 0;
    while (const uint32_t index = ledger.Reserve(TableId::kNodes)) {
      *ledger.At<Node>(TableId::kNodes, index) = {index, 0, 0};
      ledger.Publish(TableId::kNodes, index + 1);
      ASSERT_LT(++records, 1u << 20);
    }
    EXPECT_GT(records, 1000u);
    EXPECT_EQ(ledger.header().degraded.load(), uint64_t{kLedgerFull});
    EXPECT_EQ(ledger.Count(TableId::kNodes), records + 1);
    EXPECT_EQ(ledger.Reserve(TableId::kNodes), 0u);
    const std::string text(300 * 1024, 'x');
    EXPECT_EQ(ledger.AddString(text.data(), text.size()).length, 0u);
    for (uint32_t i = 1; i <= records; ++i) ASSERT_EQ(ledger.At<Node>(TableId::kNodes, i)->site, i);
  });
}

// A run directory with next to no room must not keep the program from running: the ledger is private then.
TEST(Ledger, AnAlmostFullFileSystemMakesItPrivate) {
  if (!MayMount()) GTEST_SKIP() << "needs the right to mount a small tmpfs";
  for (const size_t pages : {1, 2, 3}) {
    InFreshProcess([pages] {
      ScratchDirectory directory;
      const SmallFileSystem small(directory.path(), pages * 4096);
      Ledger ledger;
      ASSERT_TRUE(ledger.Create(directory.path().c_str(), 12)) << pages;
      if (!ledger.memory().shared()) {
        EXPECT_EQ(ledger.header().degraded.load(), uint64_t{kLedgerPrivate});
        EXPECT_TRUE(std::filesystem::is_empty(directory.path())) << "a ledger that is not written was left";
      }
      EXPECT_EQ(ledger.Count(TableId::kNodes), 1u);
      EXPECT_EQ(ledger.Count(TableId::kStacks), 1u);
    });
  }
}

TEST(Ledger, ReadersSeeOnlyWholeRecords) {
  const auto ledger = PrivateLedger();
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  std::atomic<uint64_t> torn{0};
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      while (!done.load(std::memory_order_acquire)) {
        const uint32_t count = ledger->Count(TableId::kNodes);
        for (uint32_t at = count > 100 ? count - 100 : 1; at < count; ++at) {
          const Node* node = ledger->At<Node>(TableId::kNodes, at);
          if (node->site != at || node->parent != at / 2) ++torn;
        }
      }
    });
  }
  for (uint32_t i = 1; i < 60000; ++i) {
    FutexLockHolder hold(ledger->lock());
    const uint32_t index = ledger->Reserve(TableId::kNodes);
    *ledger->At<Node>(TableId::kNodes, index) = {index, index / 2, 0};
    ledger->Publish(TableId::kNodes, index + 1);
  }
  done.store(true, std::memory_order_release);
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(torn, 0u);
}

}  // namespace
}  // namespace mallocspy::ledger

#include "tools/run/kept_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/tools/ledger_builder.h"
#include "tests/scratch_directory.h"
#include "tools/reader/reader.h"
#include "tools/run/directory_listing.h"

namespace mallocspy {
namespace {

using ::testing::ElementsAre;

TEST(KeptFile, CopiesTheUsedPartOfASparseFile) {
  const ScratchDirectory scratch;
  LedgerBuilder ledger;
  const uint32_t stack = ledger.AddStack({{ledger.AddModule("/nowhere", "", 0), 1}}, Door::kMalloc);
  ledger.AddBlock(stack, 0x1000, 77);
  ledger.End(ledger::End::kExit, 0);
  const std::string bytes = ledger.Bytes();
  const std::string from = scratch.Write("1.0.mspy", bytes);
  ASSERT_EQ(truncate(from.c_str(), off_t{1} << 30), 0);
  const std::string to = scratch.Write("kept.mspy", "an older file");
  ASSERT_TRUE(KeepLedger(from, to).ok());
  EXPECT_EQ(ReadWholeFile(to), bytes);
  struct stat file;
  ASSERT_EQ(stat(to.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600u);
  const absl::StatusOr<Snapshot> snapshot = ReadSnapshotFile(to);
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ(snapshot->blocks.at(0).size, 77u);
  EXPECT_THAT(ListDirectory(scratch.path()), ElementsAre("1.0.mspy", "kept.mspy"));  // nothing half-written stays
}

TEST(KeptFile, ReplacesNothingButFiles) {
  const ScratchDirectory scratch;
  const std::string from = scratch.Write("1.0.mspy", LedgerBuilder().Bytes());
  ASSERT_EQ(symlink("target", scratch.File("link").c_str()), 0);
  EXPECT_FALSE(KeepLedger(from, scratch.File("link")).ok());
  EXPECT_FALSE(KeepLedger(from, scratch.path()).ok());
  EXPECT_FALSE(KeepLedger(from, "/dev/null").ok());
  EXPECT_FALSE(KeepLedger(from, scratch.File("none/kept")).ok());
  EXPECT_FALSE(KeepLedger(scratch.File("none"), scratch.File("kept")).ok());
  EXPECT_THAT(ListDirectory(scratch.path()), ElementsAre("1.0.mspy", "link"));
}

TEST(KeptFile, Names) {
  const RunLedger first = {10, 1, ""};
  EXPECT_EQ(KeptName("a.mspy", first, first), "a.mspy");
  EXPECT_EQ(KeptName("a.mspy", {10, 0, ""}, first), "a.10.0.mspy");
  EXPECT_EQ(KeptName("a.mspy", {11, 0, ""}, first), "a.11.mspy");
  EXPECT_EQ(KeptName("a.mspy", {11, 2, ""}, first), "a.11.2.mspy");
  EXPECT_EQ(KeptName("a", {11, 0, ""}, first), "a.11");
  EXPECT_EQ(KeptName("a.%p.mspy", first, first), "a.10.mspy");
  EXPECT_EQ(KeptName("a.%p.mspy", {10, 0, ""}, first), "a.10.0.mspy");
  EXPECT_EQ(KeptName("a.%p.mspy", {11, 0, ""}, first), "a.11.mspy");
}

TEST(KeptFile, AllThatCannotBeKeptAreNamed) {
  const ScratchDirectory scratch;
  const std::string path = scratch.Write("1.0.mspy", LedgerBuilder().Bytes());
  const std::vector<RunLedger> ledgers = {{1, 0, path}, {2, 0, scratch.File("none")}};
  const absl::Status kept = KeepLedgers(scratch.File("kept.mspy"), ledgers);
  EXPECT_THAT(std::string(kept.message()), ::testing::HasSubstr("kept.2.mspy"));
  EXPECT_EQ(ReadWholeFile(scratch.File("kept.mspy")), ReadWholeFile(path));
  EXPECT_FALSE(KeepLedgers(scratch.File("kept.mspy"), {}).ok());
}

}  // namespace
}  // namespace mallocspy

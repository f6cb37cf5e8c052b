#include "allocator/ledger/ledger_memory.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "allocator/ledger/format.h"
#include "allocator/system/os_memory.h"
#include "tests/allocator/fresh_process.h"
#include "tests/allocator/ledger/small_file_system.h"
#include "tests/scratch_directory.h"

namespace mallocspy::ledger {
namespace {

namespace fs = std::filesystem;

struct Piece {
  unsigned char* memory;
  uint64_t offset;
  size_t bytes;
};

unsigned char ByteAt(uint64_t offset) { return static_cast<unsigned char>(offset % 251 + 1); }

// Grows by `bytes` and fills the new memory with what its offset says.
bool Grow(LedgerMemory* memory, size_t bytes, std::vector<Piece>* pieces) {
  uint64_t offset = 0;
  const uint64_t end = memory->used_bytes();
  unsigned char* added = static_cast<unsigned char*>(memory->Extend(bytes, &offset));
  if (added == nullptr) return false;
  EXPECT_EQ(offset, end);
  EXPECT_EQ(memory->used_bytes(), end + RoundUp(bytes, kPageBytes));
  for (size_t i = 0; i < bytes; ++i) {
    if (added[i] != 0) ADD_FAILURE() << "not zero at " << i;
    added[i] = ByteAt(offset + i);
  }
  pieces->push_back({added, offset, bytes});
  return true;
}

void ExpectIntact(const std::vector<Piece>& pieces) {
  for (const Piece& piece : pieces) {
    for (size_t i = 0; i < piece.bytes; ++i) {
      ASSERT_EQ(piece.memory[i], ByteAt(piece.offset + i)) << "offset " << piece.offset + i;
    }
  }
}

void ExpectInFile(const std::string& path, const std::vector<Piece>& pieces) {
  const int fd = open(path.c_str(), O_RDONLY);
  ASSERT_GE(fd, 0) << path;
  for (const Piece& piece : pieces) {
    std::vector<unsigned char> bytes(piece.bytes);
    ASSERT_EQ(pread(fd, bytes.data(), piece.bytes, static_cast<off_t>(piece.offset)), static_cast<ssize_t>(piece.bytes));
    for (size_t i = 0; i < piece.bytes; ++i) ASSERT_EQ(bytes[i], ByteAt(piece.offset + i));
  }
  close(fd);
}

constexpr size_t kSteps[] = {1, 4096, 4097, 100, 65536, 12288, 5, 1 << 20, 3 << 20, 4096};

TEST(LedgerMemory, PrivateGrows) {
  LedgerMemory memory;
  ASSERT_TRUE(memory.CreatePrivate(100));
  EXPECT_FALSE(memory.shared());
  EXPECT_EQ(memory.used_bytes(), kPageBytes);
  std::vector<Piece> pieces;
  for (const size_t bytes : kSteps) ASSERT_TRUE(Grow(&memory, bytes, &pieces));
  ExpectIntact(pieces);
}

TEST(LedgerMemory, SharedGrowsAndTheFileHasItAll) {
  ScratchDirectory directory;
  LedgerMemory memory;
  ASSERT_TRUE(memory.CreateNamed(directory.path().c_str(), 4711, 8000));
  EXPECT_TRUE(memory.shared());
  EXPECT_EQ(memory.used_bytes(), 2 * kPageBytes);
  std::vector<Piece> pieces;
  for (const size_t bytes : kSteps) ASSERT_TRUE(Grow(&memory, bytes, &pieces));
  static_cast<unsigned char*>(memory.base())[0] = 0x77;
  ExpectIntact(pieces);
  ExpectInFile(directory.File("4711.0.mspy"), pieces);
}

TEST(LedgerMemory, IsTheOwnersAlone) {
  ScratchDirectory directory;
  umask(0);
  LedgerMemory memory;
  ASSERT_TRUE(memory.CreateNamed(directory.path().c_str(), 1, 1));
  struct stat info;
  ASSERT_EQ(stat(directory.File("1.0.mspy").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  // Sparse: what it could become costs nothing.
  EXPECT_GT(info.st_size, off_t{1} << 30);
  EXPECT_LT(info.st_blocks * 512, 1 << 16);
}

TEST(LedgerMemory, GrowthNeedsNoDescriptorAndNoPath) {
  InFreshProcess([] {
    ScratchDirectory directory;
    const std::string moved = directory.File("moved");
    const std::string run = directory.File("run");
    ASSERT_TRUE(fs::create_directory(run));
    LedgerMemory memory;
    ASSERT_TRUE(memory.CreateNamed(run.c_str(), 5, 1));
    const rlimit none = {0, 0};
    fs::rename(run, moved);
    const int lowest = dup(0);
    close(lowest);
    closefrom(lowest);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    std::vector<Piece> pieces;
    for (const size_t bytes : kSteps) ASSERT_TRUE(Grow(&memory, bytes, &pieces));
    ExpectIntact(pieces);
    const rlimit some = {64, 64};
    if (setrlimit(RLIMIT_NOFILE, &some) == 0) ExpectInFile(moved + "/5.0.mspy", pieces);
  });
}

TEST(LedgerMemory, ImagesOfAPidAreNumbered) {
  ScratchDirectory directory;
  LedgerMemory images[12];
  for (int i = 0; i < 12; ++i) {
    ASSERT_TRUE(images[i].CreateNamed(directory.path().c_str(), 77, 1));
    static_cast<unsigned char*>(images[i].base())[0] = static_cast<unsigned char>(i + 1);
  }
  LedgerMemory other;
  ASSERT_TRUE(other.CreateNamed(directory.path().c_str(), 7, 1));
  for (int i = 0; i < 12; ++i) {
    std::ifstream file(directory.File("77." + std::to_string(i) + ".mspy"), std::ios::binary);
    EXPECT_EQ(file.get(), i + 1);
  }
  EXPECT_TRUE(fs::exists(directory.File("7.0.mspy")));
}

TEST(LedgerMemory, WhatIsInTheWayStays) {
  ScratchDirectory directory;
  directory.Write("9.0.mspy", "somebody's");
  directory.Write("victim", "precious");
  fs::create_symlink(directory.File("victim"), directory.File("9.1.mspy"));
  fs::create_symlink(directory.File("nowhere"), directory.File("9.2.mspy"));
  LedgerMemory memory;
  ASSERT_TRUE(memory.CreateNamed(directory.path().c_str(), 9, 1));
  EXPECT_EQ(ReadWholeFile(directory.File("9.0.mspy")), "somebody's");
  EXPECT_EQ(ReadWholeFile(directory.File("victim")), "precious");
  EXPECT_FALSE(fs::exists(directory.File("nowhere")));
  EXPECT_TRUE(fs::exists(directory.File("9.3.mspy")));
}

std::string LinkOf(int fd) {
  std::error_code error;
  return fs::read_symlink("/proc/self/fd/" + std::to_string(fd), error).string();
}

// The descriptor of the one anonymous ledger of this process, -1 without one.
int AnonymousDescriptor() {
  int found = -1;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename().string());
    if (LinkOf(fd) == std::string("/memfd:") + kAnonymousName + " (deleted)") found = fd;
  }
  return found;
}

TEST(LedgerMemory, WithoutANameItIsFoundByItsDescriptor) {
  InFreshProcess([] {
    LedgerMemory memory;
    ASSERT_TRUE(memory.CreateAnonymous(8000, 4096));
    EXPECT_TRUE(memory.shared());
    EXPECT_FALSE(memory.named());
    std::vector<Piece> pieces;
    for (const size_t bytes : {1, 4096, 100000, 5}) ASSERT_TRUE(Grow(&memory, bytes, &pieces));
    const int fd = AnonymousDescriptor();
    ASSERT_GT(fd, 900) << "as high as select(2) allows";
    EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    ExpectInFile("/proc/self/fd/" + std::to_string(fd), pieces);
  });
}

TEST(LedgerMemory, WithoutANameItGrowsWithoutItsDescriptor) {
  InFreshProcess([] {
    LedgerMemory memory;
    ASSERT_TRUE(memory.CreateAnonymous(1));
    close(AnonymousDescriptor());
    std::vector<Piece> pieces;
    for (const size_t bytes : {4096, 100000, 5}) ASSERT_TRUE(Grow(&memory, bytes, &pieces));
    ExpectIntact(pieces);
  });
}

TEST(LedgerMemory, ClosesItsOwnDescriptorOnly) {
  InFreshProcess([] {
    LedgerMemory memory;
    ASSERT_TRUE(memory.CreateAnonymous(1));
    const int fd = AnonymousDescriptor();
    memory.CloseDescriptor();
    EXPECT_EQ(LinkOf(fd), "");
    LedgerMemory other;
    ASSERT_TRUE(other.CreateAnonymous(1));
    ASSERT_EQ(dup2(0, AnonymousDescriptor()), fd) << "the program put something else there";
    other.CloseDescriptor();
    EXPECT_NE(LinkOf(fd), "");
  });
}

TEST(LedgerMemory, WhereFilesAreLimitedThereIsNoneWithoutAName) {
  InFreshProcess([] {
    const rlimit limit = {1 << 20, 1 << 20};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    LedgerMemory memory;
    EXPECT_FALSE(memory.CreateAnonymous(1));
    EXPECT_EQ(AnonymousDescriptor(), -1);
  });
}

TEST(LedgerMemory, NoDirectoryNoLedger) {
  ScratchDirectory directory;
  LedgerMemory memory;
  EXPECT_FALSE(memory.CreateNamed(directory.File("missing").c_str(), 1, 1));
  EXPECT_FALSE(memory.CreateNamed(directory.Write("file", "").c_str(), 1, 1));
  EXPECT_FALSE(memory.CreateNamed(std::string(5000, 'x').c_str(), 1, 1));
}

TEST(LedgerMemory, StopsAtTheLimitOfFileSizeWithoutASignal) {
  InFreshProcess([] {
    ScratchDirectory directory;
    const rlimit limit = {64 * 1024 + 100, 64 * 1024 + 100};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    LedgerMemory memory;
    ASSERT_TRUE(memory.CreateNamed(directory.path().c_str(), 3, 1));
    std::vector<Piece> pieces;
    size_t grown = 0;
    while (grown < 64 && Grow(&memory, 4096, &pieces)) ++grown;
    EXPECT_EQ(grown, 15u);  // with the first page, the 64 KiB that fit
    uint64_t offset;
    EXPECT_EQ(memory.Extend(1 << 20, &offset), nullptr);
    ExpectIntact(pieces);
    ExpectInFile(directory.File("3.0.mspy"), pieces);
  });
}

TEST(LedgerMemory, NoRoomAtAllUnderTheLimitOfFileSize) {
  InFreshProcess([] {
    ScratchDirectory directory;
    const rlimit limit = {4095, 4095};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    LedgerMemory memory;
    EXPECT_FALSE(memory.CreateNamed(directory.path().c_str(), 3, 1));
    EXPECT_TRUE(fs::is_empty(directory.path()));
  });
}

TEST(LedgerMemory, AFullFileSystemStopsGrowthAndHarmsNothing) {
  if (!MayMount()) GTEST_SKIP() << "needs the right to mount a small tmpfs";
  InFreshProcess([] {
    ScratchDirectory directory;
    const SmallFileSystem small(directory.path(), 64 * 1024);
    LedgerMemory memory;
    ASSERT_TRUE(memory.CreateNamed(directory.path().c_str(), 3, 4096));
    std::vector<Piece> pieces;
    while (pieces.size() < 64 && Grow(&memory, 4096, &pieces)) {
    }
    EXPECT_LT(pieces.size(), 16u);
    EXPECT_GT(pieces.size(), 8u);
    const uint64_t used = memory.used_bytes();
    uint64_t offset;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(memory.Extend(1 << 20, &offset), nullptr);
    EXPECT_EQ(memory.used_bytes(), used);
    ExpectIntact(pieces);
    ExpectInFile(directory.File("3.0.mspy"), pieces);
  });
}

TEST(LedgerMemory, AFailedGrowthTakesNoRoom) {
  if (!MayMount()) GTEST_SKIP() << "needs the right to mount a small tmpfs";
  InFreshProcess([] {
    ScratchDirectory directory;
    const SmallFileSystem small(directory.path(), 128 * 1024);
    LedgerMemory memory;
    ASSERT_TRUE(memory.CreateNamed(directory.path().c_str(), 3, 4096));
    uint64_t offset;
    ASSERT_EQ(memory.Extend(1 << 20, &offset), nullptr);
    std::vector<Piece> pieces;
    EXPECT_TRUE(Grow(&memory, 32 * 1024, &pieces));
    ExpectIntact(pieces);
  });
}

TEST(LedgerMemory, AFileSystemThatIsFullAtTheStartKeepsNothing) {
  if (!MayMount()) GTEST_SKIP() << "needs the right to mount a small tmpfs";
  InFreshProcess([] {
    ScratchDirectory directory;
    const SmallFileSystem small(directory.path(), 16 * 1024);
    LedgerMemory memory;
    EXPECT_FALSE(memory.CreateNamed(directory.path().c_str(), 3, 1 << 20));
    EXPECT_TRUE(fs::is_empty(directory.path()));
  });
}

}  // namespace
}  // namespace mallocspy::ledger

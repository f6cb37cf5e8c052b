#include "allocator/system/os_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace mallocspy {
namespace {

bool IsMapped(void* page) {
  unsigned char in_core;
  return mincore(page, 1, &in_core) == 0;
}

TEST(OsMemory, RoundUp) {
  EXPECT_EQ(RoundUp(0, 4096), 0u);
  EXPECT_EQ(RoundUp(1, 4096), 4096u);
  EXPECT_EQ(RoundUp(4096, 4096), 4096u);
  EXPECT_EQ(RoundUp(4097, 4096), 8192u);
  EXPECT_EQ(RoundUp(5, 4), 8u);
  EXPECT_EQ(RoundUp(uint64_t{1} << 40, 16), uint64_t{1} << 40);
}

TEST(OsMemory, IsZeroedWritableAndWholePages) {
  char* memory = static_cast<char*>(MapPrivate(1));
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % kPageBytes, 0u);
  for (size_t i = 0; i < kPageBytes; ++i) ASSERT_EQ(memory[i], 0);
  std::memset(memory, 0x5a, kPageBytes);
  Unmap(memory, 1);
  EXPECT_FALSE(IsMapped(memory));
}

TEST(OsMemory, UnmapsWhatWasMapped) {
  const size_t bytes = 3 * kPageBytes + 1;
  char* memory = static_cast<char*>(MapPrivate(bytes));
  ASSERT_NE(memory, nullptr);
  memory[bytes - 1] = 1;
  Unmap(memory, bytes);
  for (size_t page = 0; page < 4; ++page) EXPECT_FALSE(IsMapped(memory + page * kPageBytes)) << page;
}

bool IsInCore(void* page) {
  unsigned char in_core = 0;
  return mincore(page, 1, &in_core) == 0 && (in_core & 1) != 0;
}

TEST(OsMemory, SharedMemoryIsTheSameInAForkedChild) {
  int* number = static_cast<int*>(MapShared(sizeof(int)));
  ASSERT_NE(number, nullptr);
  const pid_t child = fork();
  if (child == 0) {
    *number = 7;
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  EXPECT_EQ(*number, 7);
  Unmap(number, sizeof(int));
}

TEST(OsMemory, PopulatedPagesAreThere) {
  char* lazy = static_cast<char*>(MapPrivate(4 * kPageBytes));
  char* populated = static_cast<char*>(MapPopulated(4 * kPageBytes));
  ASSERT_TRUE(lazy != nullptr && populated != nullptr);
  for (size_t page = 0; page < 4; ++page) {
    EXPECT_FALSE(IsInCore(lazy + page * kPageBytes));
    EXPECT_TRUE(IsInCore(populated + page * kPageBytes));
    EXPECT_EQ(populated[page * kPageBytes], 0);
  }
  EXPECT_TRUE(Populate(lazy + kPageBytes, kPageBytes + 1));
  for (size_t page = 0; page < 4; ++page) EXPECT_EQ(IsInCore(lazy + page * kPageBytes), page == 1 || page == 2);
  Unmap(populated, 4 * kPageBytes);
  EXPECT_FALSE(Populate(populated, 4 * kPageBytes)) << "nothing is mapped there";
  Unmap(lazy, 4 * kPageBytes);
}

TEST(OsMemory, TooMuchIsNullAndLeavesErrnoAlone) {
  errno = 4711;
  EXPECT_EQ(MapPrivate(size_t{1} << 60), nullptr);
  EXPECT_EQ(errno, 4711);
}

}  // namespace
}  // namespace mallocspy

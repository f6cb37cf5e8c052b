#include "allocator/system/raw_syscall.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace mallocspy {
namespace {

TEST(RawSyscall, AnswersTheValue) {
  EXPECT_EQ(RawSyscall(SYS_getpid), getpid());
  EXPECT_EQ(RawSyscall(SYS_gettid), gettid());
}

TEST(RawSyscall, AnswersANegatedErrnoAndLeavesErrnoAlone) {
  errno = 4711;
  EXPECT_EQ(RawSyscall(SYS_close, -1), -EBADF);
  EXPECT_EQ(RawSyscall(SYS_openat, AT_FDCWD, "/no/such/file", O_RDONLY), -ENOENT);
  EXPECT_EQ(errno, 4711);
}

TEST(RawSyscall, AllSixArgumentsArrive) {
  const int fd = memfd_create("six", 0);
  ASSERT_GE(fd, 0);
  ASSERT_EQ(ftruncate(fd, 8192), 0);
  ASSERT_EQ(pwrite(fd, "second", 6, 4096), 6);
  const long memory = RawSyscall(SYS_mmap, nullptr, 4096, PROT_READ, MAP_SHARED, fd, 4096);
  ASSERT_FALSE(RawFailed(memory));
  EXPECT_STREQ(reinterpret_cast<const char*>(memory), "second");
  munmap(reinterpret_cast<void*>(memory), 4096);
  close(fd);
}

TEST(RawSyscall, FailureIsTheLast4095Values) {
  EXPECT_TRUE(RawFailed(-1));
  EXPECT_TRUE(RawFailed(-4095));
  EXPECT_FALSE(RawFailed(-4096));
  EXPECT_FALSE(RawFailed(0));
  EXPECT_FALSE(RawFailed(0x7fffffffffff));
}

}  // namespace
}  // namespace mallocspy

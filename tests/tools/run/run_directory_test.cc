#include "tools/run/run_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/scratch_directory.h"
#include "tools/run/directory_listing.h"

namespace mallocspy {
namespace {

class RunDirectoryTest : public ::testing::Test {
 protected:
  void SetUp() override { setenv("XDG_RUNTIME_DIR", scratch_.path().c_str(), 1); }
  void TearDown() override { unsetenv("XDG_RUNTIME_DIR"); }
  ScratchDirectory scratch_;
};

TEST_F(RunDirectoryTest, IsPrivateAndGoesWithItsObject) {
  std::string path;
  {
    const absl::StatusOr<RunDirectory> directory = RunDirectory::Create();
    ASSERT_TRUE(directory.ok()) << directory.status();
    path = directory->path();
    EXPECT_EQ(path.rfind(scratch_.path(), 0), 0u);
    struct stat file;
    ASSERT_EQ(stat(path.c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 07777, 0700u);
    // More entries than one listing of the kernel holds.
    for (int i = 0; i < 1000; ++i) std::ofstream(path + "/some-longer-name-of-a-ledger." + std::to_string(i));
  }
  EXPECT_NE(access(path.c_str(), F_OK), 0);
}

TEST_F(RunDirectoryTest, ARelativeOrMissingPlaceIsPassedOver) {
  for (const char* const place : {"relative", "/nowhere/at/all", ""}) {
    setenv("XDG_RUNTIME_DIR", place, 1);
    const absl::StatusOr<RunDirectory> directory = RunDirectory::Create();
    ASSERT_TRUE(directory.ok()) << directory.status();
    EXPECT_EQ(directory->path()[0], '/');
    EXPECT_EQ(access(directory->path().c_str(), W_OK), 0);
  }
}

TEST_F(RunDirectoryTest, ADeadlySignalRemovesItAndStaysDeadly) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    const pid_t child = fork();
    if (child == 0) {
      std::signal(signal, SIG_DFL);
      absl::StatusOr<RunDirectory> directory = RunDirectory::Create();
      if (!directory.ok()) _exit(1);
      std::ofstream(directory->path() + "/1.0.mspy");
      directory->RemoveOnSignals();
      raise(signal);
      _exit(2);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == signal) << status;
    EXPECT_TRUE(ListDirectory(scratch_.path()).empty());
  }
}

TEST_F(RunDirectoryTest, AnIgnoredSignalStaysIgnored) {
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGHUP, SIG_IGN);
    absl::StatusOr<RunDirectory> directory = RunDirectory::Create();
    if (!directory.ok()) _exit(1);
    directory->RemoveOnSignals();
    raise(SIGHUP);
    _exit(access(directory->path().c_str(), F_OK) == 0 ? 0 : 3);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace mallocspy

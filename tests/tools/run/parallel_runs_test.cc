#include "tools/run/parallel_runs.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/scratch_directory.h"

namespace mallocspy {
namespace {

std::vector<SideRunEnd> RunShell(const std::vector<std::string>& scripts, size_t jobs, double limit, absl::Status* status = nullptr) {
  std::vector<SideRunEnd> ends;
  bool nothing_came;
  absl::StatusOr<RepeatedInput> input = RepeatedInput::FromStandardInput(&nothing_came);
  EXPECT_FALSE(nothing_came);
  const absl::Status ran = RunSideBySide(
      scripts.size(), jobs, limit, *input, [&](size_t i) { return SideRun{"/bin/sh", {"sh", "-c", scripts[i]}, {"PATH=/usr/bin:/bin"}}; },
      [&](const SideRunEnd& end) {
        ends.push_back(end);
        return true;
      });
  if (status != nullptr) {
    *status = ran;
  } else {
    EXPECT_TRUE(ran.ok()) << ran;
  }
  return ends;
}

// Standard input of this process, until it is restored.
class InputFrom {
 public:
  explicit InputFrom(int descriptor) : before_(dup(STDIN_FILENO)) { dup2(descriptor, STDIN_FILENO); }
  ~InputFrom() {
    dup2(before_, STDIN_FILENO);
    close(before_);
  }
  InputFrom(const InputFrom&) = delete;
  InputFrom& operator=(const InputFrom&) = delete;

 private:
  const int before_;
};

// ctest may leave any standard input.
class ParallelRuns : public testing::Test {
 protected:
  ParallelRuns() : null_(open("/dev/null", O_RDONLY | O_CLOEXEC)), input_(null_) {}
  ~ParallelRuns() override { close(null_); }

 private:
  const int null_;
  const InputFrom input_;
};

TEST_F(ParallelRuns, EachRunsOnceAndItsEndIsTold) {
  std::vector<std::string> scripts;
  for (int i = 0; i < 20; ++i) scripts.push_back(absl::StrCat("exit ", i));
  std::set<size_t> seen;
  for (const SideRunEnd& end : RunShell(scripts, 4, 10)) {
    EXPECT_TRUE(seen.insert(end.index).second);
    ASSERT_TRUE(WIFEXITED(end.wait_status));
    EXPECT_EQ(static_cast<int>(end.index), WEXITSTATUS(end.wait_status));
    EXPECT_FALSE(end.timed_out);
  }
  EXPECT_EQ(20u, seen.size());
}

TEST_F(ParallelRuns, NoMoreThanItsJobsAtATime) {
  const ScratchDirectory directory;
  // A run that meets another one's file says so.
  const std::string alone = absl::StrCat("set -C; : > ", directory.File("busy"), " || exit 1; sleep 0.02; rm ", directory.File("busy"));
  for (const SideRunEnd& end : RunShell(std::vector<std::string>(8, alone), 1, 10)) EXPECT_EQ(0, end.wait_status);
}

TEST_F(ParallelRuns, TheTimeLimit) {
  const std::vector<SideRunEnd> ends = RunShell({"exec sleep 60", "trap '' ABRT; sleep 60; sleep 60", "exit 3"}, 3, 0.3);
  ASSERT_EQ(3u, ends.size());
  for (const SideRunEnd& end : ends) {
    EXPECT_EQ(end.index != 2, end.timed_out);
    EXPECT_EQ(end.index == 0 ? SIGABRT : end.index == 1 ? SIGKILL : 0, WTERMSIG(end.wait_status));
  }
}

TEST_F(ParallelRuns, WhatAProgramLeavesBehindIsKilled) {
  const ScratchDirectory directory;
  RunShell({absl::StrCat("sleep 300 & echo $! > ", directory.File("pid"))}, 1, 10);
  pid_t left = 0;
  std::ifstream(directory.File("pid")) >> left;
  ASSERT_GT(left, 0);
  for (int i = 0; i < 1000 && kill(left, 0) == 0; ++i) {
    std::string state;
    std::ifstream stat(absl::StrCat("/proc/", left, "/stat"));
    std::getline(stat, state);
    if (state.empty() || state.find(") Z") != std::string::npos) return;
    usleep(10000);
  }
  EXPECT_NE(0, kill(left, 0));
}

TEST_F(ParallelRuns, EachReadsTheInputFromWhereItIs) {
  const ScratchDirectory directory;
  const int file = open(directory.Write("input", "skipped\nrest\n").c_str(), O_RDONLY | O_CLOEXEC);
  lseek(file, 8, SEEK_SET);
  int ends[2];
  ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
  ASSERT_EQ(5, write(ends[1], "rest\n", 5));
  close(ends[1]);
  for (const int input : {file, ends[0]}) {
    const InputFrom from(input);
    for (const SideRunEnd& end : RunShell(std::vector<std::string>(3, "read line; test \"$line\" = rest"), 2, 10)) EXPECT_EQ(0, end.wait_status);
  }
  close(file);
  close(ends[0]);
}

TEST_F(ParallelRuns, APipeThatSomebodyLeftOpenIsNotWaitedFor) {
  int ends[2];
  ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
  {
    const InputFrom from(ends[0]);
    bool nothing_came;
    const absl::StatusOr<RepeatedInput> input = RepeatedInput::FromStandardInput(&nothing_came);
    ASSERT_TRUE(input.ok());
    EXPECT_TRUE(nothing_came);
    const int empty = input->Open();
    char byte;
    EXPECT_EQ(0, read(empty, &byte, 1));
    close(empty);
  }
  close(ends[0]);
  close(ends[1]);
}

TEST_F(ParallelRuns, NoCoreFilesAndNoOutput) {
  for (const SideRunEnd& end : RunShell({"test $(ulimit -S -c) = 0; s=$?; test /dev/fd/1 -ef /dev/null && test /dev/fd/2 -ef /dev/null || s=7; exit $s"}, 1, 10)) {
    EXPECT_EQ(0, end.wait_status);
  }
}

TEST_F(ParallelRuns, WhatCannotBeExecutedIsSaid) {
  bool nothing_came;
  absl::StatusOr<RepeatedInput> input = RepeatedInput::FromStandardInput(&nothing_came);
  EXPECT_FALSE(nothing_came);
  const absl::Status ran = RunSideBySide(
      3, 2, 10, *input, [](size_t) { return SideRun{"/no/such/program", {"program"}, {}}; }, [](const SideRunEnd&) { return true; });
  EXPECT_EQ(absl::StatusCode::kNotFound, ran.code()) << ran;
}

TEST_F(ParallelRuns, CanBeStopped) {
  int ended = 0;
  bool nothing_came;
  absl::StatusOr<RepeatedInput> input = RepeatedInput::FromStandardInput(&nothing_came);
  EXPECT_FALSE(nothing_came);
  const absl::Status ran = RunSideBySide(
      100, 1, 10, *input, [](size_t) { return SideRun{"/bin/true", {"true"}, {}}; }, [&](const SideRunEnd&) { return ++ended < 3; });
  EXPECT_TRUE(ran.ok());
  EXPECT_EQ(3, ended);
}

}  // namespace
}  // namespace mallocspy

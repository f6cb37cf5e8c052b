#include "tools/run/captured_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>

namespace mallocspy {
namespace {

using ::testing::HasSubstr;

TEST(CapturedRun, OutputsAndEnd) {
  const absl::StatusOr<CapturedRun> run = RunCaptured({"/bin/sh", "-c", "cat; echo out; echo err >&2; exit 3"}, 60);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->output, "out\n");
  EXPECT_EQ(run->error, "err\n");
  EXPECT_EQ(WEXITSTATUS(run->wait_status), 3);
}

TEST(CapturedRun, MoreThanAPipeHolds) {
  const absl::StatusOr<CapturedRun> run =
      RunCaptured({"/bin/sh", "-c", "head -c 1000000 /dev/zero >&2; head -c 2000000 /dev/zero; kill -9 $$"}, 60);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->output.size(), 2000000u);
  EXPECT_EQ(run->error.size(), 1000000u);
  EXPECT_EQ(WTERMSIG(run->wait_status), SIGKILL);
}

TEST(CapturedRun, WhatDoesNotEndIsKilled) {
  const absl::StatusOr<CapturedRun> run = RunCaptured({"/bin/sh", "-c", "exec sleep 1000"}, 1);
  EXPECT_THAT(std::string(run.status().message()), HasSubstr("did not end within 1 second"));
}

TEST(CapturedRun, WhatCannotBeStarted) {
  EXPECT_THAT(std::string(RunCaptured({"/nowhere/program"}, 60).status().message()), HasSubstr("/nowhere/program"));
}

}  // namespace
}  // namespace mallocspy

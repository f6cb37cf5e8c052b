#include "tools/report/report_sink.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/scratch_directory.h"

namespace mallocspy {
namespace {

TEST(ReportSink, ExpandsThePid) {
  EXPECT_EQ(ExpandPath("out.%p.txt", 42), "out.42.txt");
  EXPECT_EQ(ExpandPath("%p/%p", 7), "7/7");
  EXPECT_EQ(ExpandPath("100%%p", 7), "100%p");
  EXPECT_EQ(ExpandPath("a%b%", 7), "a%b%");
}

TEST(ReportSink, ANewFileIsItsOwnersOnly) {
  const ScratchDirectory scratch;
  const std::string path = scratch.File("report");
  ASSERT_TRUE(WriteReportFile(path, "text").ok());
  EXPECT_EQ(ReadWholeFile(path), "text");
  struct stat file;
  ASSERT_EQ(stat(path.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600u);
}

TEST(ReportSink, AnOldFileIsOverwritten) {
  const ScratchDirectory scratch;
  const std::string path = scratch.Write("report", "a much longer old text");
  ASSERT_TRUE(WriteReportFile(path, "new").ok());
  EXPECT_EQ(ReadWholeFile(path), "new");
}

TEST(ReportSink, OnesOwnLinkIsFollowedADanglingOneToo) {
  const ScratchDirectory scratch;
  ASSERT_EQ(symlink(scratch.File("target").c_str(), scratch.File("link").c_str()), 0);
  ASSERT_TRUE(WriteReportFile(scratch.File("link"), "text").ok());
  EXPECT_EQ(ReadWholeFile(scratch.File("target")), "text");
}

TEST(ReportSink, AStrangersLinkIsNotFollowed) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can make a stranger's link";
  const ScratchDirectory scratch;
  const std::string target = scratch.Write("target", "precious");
  ASSERT_EQ(symlink(target.c_str(), scratch.File("link").c_str()), 0);
  ASSERT_EQ(lchown(scratch.File("link").c_str(), 12345, 12345), 0);
  EXPECT_FALSE(WriteReportFile(scratch.File("link"), "text").ok());
  EXPECT_EQ(ReadWholeFile(target), "precious");
}

TEST(ReportSink, AFullDiskIsAnError) {
  if (access("/dev/full", W_OK) != 0) GTEST_SKIP() << "there is no /dev/full";
  const absl::Status status = WriteReportFile("/dev/full", "text");
  EXPECT_FALSE(status.ok());
  struct stat device;
  ASSERT_EQ(stat("/dev/full", &device), 0);
  EXPECT_TRUE(S_ISCHR(device.st_mode));
}

TEST(ReportSink, AMissingDirectoryIsAnError) {
  const ScratchDirectory scratch;
  EXPECT_FALSE(WriteReportFile(scratch.File("none/report"), "text").ok());
}

TEST(ReportSink, DevStdoutIsTheDescriptorAndTruncatesNothing) {
  const ScratchDirectory scratch;
  const std::string path = scratch.Write("output", "before ");
  const int saved = dup(STDOUT_FILENO);
  fflush(stdout);
  FILE* const file = fopen(path.c_str(), "a");
  ASSERT_NE(file, nullptr);
  dup2(fileno(file), STDOUT_FILENO);
  const bool written = WriteReportFile("/dev/stdout", "one ").ok() && WriteReportFile("/dev/fd/1", "two").ok();
  dup2(saved, STDOUT_FILENO);
  close(saved);
  fclose(file);
  EXPECT_TRUE(written);
  EXPECT_EQ(ReadWholeFile(path), "before one two");
}

}  // namespace
}  // namespace mallocspy

#include "tools/explore/history_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "tests/scratch_directory.h"

namespace mallocspy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

mode_t ModeOf(const std::string& path) {
  struct stat file = {};
  EXPECT_EQ(stat(path.c_str(), &file), 0) << path;
  return file.st_mode & 0777;
}

TEST(HistoryFile, KeepsLinesForItsUserAlone) {
  const ScratchDirectory scratch;
  const HistoryFile history(scratch.File("state/mallocspy/history"));
  EXPECT_THAT(history.Load(), IsEmpty());
  EXPECT_TRUE(history.Append("blocks").ok());
  EXPECT_TRUE(history.Append("types top 3").ok());
  EXPECT_THAT(history.Load(), ElementsAre("blocks", "types top 3"));
  EXPECT_EQ(ModeOf(scratch.File("state/mallocspy/history")), 0600u);
  EXPECT_EQ(ModeOf(scratch.File("state/mallocspy")), 0700u);
}

TEST(HistoryFile, TakesOthersRightsAway) {
  const ScratchDirectory scratch;
  const std::string path = scratch.Write("history", "old\n");
  chmod(path.c_str(), 0644);
  EXPECT_TRUE(HistoryFile(path).Append("new").ok());
  EXPECT_EQ(ModeOf(path), 0600u);
  EXPECT_THAT(HistoryFile(path).Load(), ElementsAre("old", "new"));
}

TEST(HistoryFile, IsCutWhenItIsTooLong) {
  const ScratchDirectory scratch;
  std::string lines;
  for (size_t i = 0; i <= 2 * HistoryFile::kMostLines; ++i) lines += std::to_string(i) + "\n";
  const std::string path = scratch.Write("history", lines);
  EXPECT_EQ(HistoryFile(path).Load().size(), HistoryFile::kMostLines);
  EXPECT_EQ(HistoryFile(path).Load().back(), std::to_string(2 * HistoryFile::kMostLines));
  const std::string kept = ReadWholeFile(path);
  EXPECT_EQ(static_cast<size_t>(std::count(kept.begin(), kept.end(), '\n')), HistoryFile::kMostLines);
  EXPECT_EQ(ModeOf(path), 0600u);
}

TEST(HistoryFile, FollowsNoLinkAndWaitsForNoPipe) {
  const ScratchDirectory scratch;
  const std::string link = scratch.File("link"), pipe = scratch.File("pipe");
  std::filesystem::create_symlink(scratch.Write("elsewhere", ""), link);
  EXPECT_FALSE(HistoryFile(link).Append("blocks").ok());
  EXPECT_EQ(ReadWholeFile(scratch.File("elsewhere")), "");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(HistoryFile(pipe).Load(), IsEmpty());
  EXPECT_FALSE(HistoryFile(pipe).Append("blocks").ok());
  EXPECT_TRUE(HistoryFile("").Append("blocks").ok());
}

}  // namespace
}  // namespace mallocspy

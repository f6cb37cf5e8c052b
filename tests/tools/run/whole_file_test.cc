#include "tools/run/whole_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/scratch_directory.h"

namespace mallocspy {
namespace {

size_t FilesIn(const std::string& directory) {
  const std::filesystem::directory_iterator files(directory);
  return static_cast<size_t>(std::distance(begin(files), end(files)));
}

TEST(WholeFile, IsThereOnceItIsCommitted) {
  const ScratchDirectory directory;
  const std::string path = directory.File("x");
  const auto file = WholeFile::Create(path);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE((*file)->Write("world", 5, 6).ok());
  ASSERT_TRUE((*file)->Write("hello ", 6, 0).ok());
  EXPECT_FALSE(std::filesystem::exists(path));
  ASSERT_TRUE((*file)->Commit().ok());
  EXPECT_EQ(ReadWholeFile(path), "hello world");
  EXPECT_EQ(FilesIn(directory.path()), 1u);
  struct stat info;
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST(WholeFile, WhatIsNotCommittedLeavesTheOldFile) {
  ScratchDirectory directory;
  const std::string path = directory.Write("x", "old");
  {
    const auto file = WholeFile::Create(path);
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE((*file)->Write("new", 3, 0).ok());
  }
  EXPECT_EQ(ReadWholeFile(path), "old");
  EXPECT_EQ(FilesIn(directory.path()), 1u);
}

TEST(WholeFile, ReplacesRegularFilesOnly) {
  const ScratchDirectory directory;
  std::filesystem::create_symlink("/dev/null", directory.File("link"));
  EXPECT_FALSE(WholeFile::Create(directory.File("link")).ok());
  EXPECT_FALSE(WholeFile::Create(directory.path()).ok());
  EXPECT_FALSE(WholeFile::Create(directory.File("missing/x")).ok());
}

}  // namespace
}  // namespace mallocspy

#include "tools/run/program_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/scratch_directory.h"

namespace mallocspy {
namespace {

using ::testing::HasSubstr;

class ProgramPathTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* const directory : {"a", "b"}) mkdir(scratch_.File(directory).c_str(), 0700);
    path_ = scratch_.File("a") + ":" + scratch_.File("b");
  }
  void Add(const std::string& name, mode_t mode) { chmod(scratch_.Write(name, "#!/bin/sh\n").c_str(), mode); }

  ScratchDirectory scratch_;
  std::string path_;
};

TEST_F(ProgramPathTest, TheFirstExecutableFileWins) {
  Add("a/prog", 0644);
  Add("b/prog", 0755);
  EXPECT_EQ(FindProgram("prog", path_.c_str()).path, scratch_.File("b/prog"));
  Add("a/prog", 0755);
  EXPECT_EQ(FindProgram("prog", path_.c_str()).path, scratch_.File("a/prog"));
}

TEST_F(ProgramPathTest, NotFoundIs127) {
  const ProgramPath found = FindProgram("prog", path_.c_str());
  EXPECT_EQ(found.path, "");
  EXPECT_EQ(found.exit_status, kExitNotFound);
  EXPECT_THAT(found.problem, HasSubstr("no such program in PATH"));
  EXPECT_EQ(FindProgram(scratch_.File("none"), path_.c_str()).exit_status, kExitNotFound);
  EXPECT_EQ(FindProgram("", path_.c_str()).exit_status, kExitNotFound);
}

TEST_F(ProgramPathTest, NotExecutableIs126) {
  Add("a/prog", 0644);
  EXPECT_EQ(FindProgram("prog", path_.c_str()).exit_status, kExitNotExecutable);
  EXPECT_EQ(FindProgram(scratch_.File("a/prog"), path_.c_str()).exit_status, kExitNotExecutable);
  const ProgramPath directory = FindProgram(scratch_.File("a"), path_.c_str());
  EXPECT_EQ(directory.exit_status, kExitNotExecutable);
  EXPECT_THAT(directory.problem, HasSubstr("it is a directory"));
}

TEST_F(ProgramPathTest, WithoutPathTheSystemsDirectoriesAreSearched) {
  EXPECT_THAT(FindProgram("sh", nullptr).path, HasSubstr("/bin/sh"));
}

TEST_F(ProgramPathTest, HostileNamesAreEscaped) {
  EXPECT_THAT(FindProgram("\x1b[2J", path_.c_str()).problem, HasSubstr("\\x1b[2J"));
}

}  // namespace
}  // namespace mallocspy

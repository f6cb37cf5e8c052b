#include "tools/report/source_root.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/tools/report/sample_findings.h"
#include "tests/scratch_directory.h"

namespace mallocspy {
namespace {

TEST(SourceRoot, NamesFilesBelowIt) {
  SourceRoot root("/src/");
  EXPECT_EQ(root.directory(), "/src");
  EXPECT_EQ(root.Within("/src/a.cc"), "a.cc");
  EXPECT_EQ(root.Within("/src/x/../y/./b.cc"), "y/b.cc");
  EXPECT_EQ(root.Within("/src"), "");
  EXPECT_EQ(root.Within("/source/a.cc"), "");
  EXPECT_EQ(root.Within("/src/../etc/passwd"), "");
  EXPECT_EQ(root.Within(""), "");
  EXPECT_EQ(root.Within(std::string("/src/a\0b", 8)), "");
}

TEST(SourceRoot, ARelativeNameCountsIfThereIsSuchAFile) {
  const ScratchDirectory scratch;
  scratch.Write("here.cc", "");
  SourceRoot root(scratch.path());
  EXPECT_EQ(root.Within("here.cc"), "here.cc");
  EXPECT_EQ(root.Within("./x/../here.cc"), "");  // there is no x
  EXPECT_EQ(root.Within("elsewhere.cc"), "");
  EXPECT_EQ(root.Within("../here.cc"), "");
}

TEST(SourceRoot, TheDirectoryMayHaveAnotherName) {
  const ScratchDirectory scratch;
  ASSERT_EQ(mkdir(scratch.File("real").c_str(), 0700), 0);
  ASSERT_EQ(symlink(scratch.File("real").c_str(), scratch.File("link").c_str()), 0);
  scratch.Write("real/a.cc", "");
  EXPECT_EQ(SourceRoot(scratch.File("real")).Within(scratch.File("link/a.cc")), "a.cc");
  EXPECT_EQ(SourceRoot(scratch.File("link")).Within(scratch.File("real/a.cc")), "a.cc");
}

TEST(SourceRoot, NothingLiesBelowADirectoryThatIsNotKnown) {
  SourceRoot root("");
  EXPECT_EQ(root.Within("/src/a.cc"), "");
  EXPECT_EQ(root.directory(), "");
}

TEST(SourceRoot, EverythingLiesBelowTheTop) { EXPECT_EQ(SourceRoot("/").Within("/src/a.cc"), "src/a.cc"); }

TEST(SourceRoot, TheInnermostOwnFrame) {
  SourceRoot root("/src");
  const std::vector<Frame> frames = {SampleFrame(1, "malloc_wrapper", "/usr/include/w.h", 1),
                                     SampleFrame(2, "mine", "/src/a.cc", 2), SampleFrame(3, "main", "/src/b.cc", 3)};
  EXPECT_EQ(root.FirstOwn(frames), &frames[1]);
  EXPECT_EQ(root.FirstOwn({frames[0]}), nullptr);
}

}  // namespace
}  // namespace mallocspy

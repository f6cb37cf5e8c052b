#include "tools/run/run_notes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/scratch_directory.h"

namespace mallocspy {
namespace {

TEST(RunNotes, OneForEachProcess) {
  const ScratchDirectory scratch;
  const auto note = [&scratch](const char* name, const char* target) {
    ASSERT_EQ(symlink(target, scratch.File(name).c_str()), 0);
  };
  note("7.forked", "fork");
  note("7.spawned", "/bin/static");
  note("8.forked", "fork");
  note("9.elsewhere", "/bin/prog");
  note("10.unrecorded", "no room");
  note("x.spawned", "/bin/prog");
  note("11.other", "/bin/prog");
  scratch.Write("12.0.mspy", "");
  const RunNotes notes = ListRunNotes(scratch.path());
  ASSERT_THAT(notes, testing::SizeIs(4));
  EXPECT_TRUE(notes.at(7).spawned);
  EXPECT_EQ(notes.at(7).program, "/bin/static");
  EXPECT_FALSE(notes.at(8).spawned);
  EXPECT_EQ(notes.at(8).program, "");
  EXPECT_TRUE(notes.at(9).elsewhere);
  EXPECT_EQ(notes.at(9).program, "/bin/prog");
  EXPECT_EQ(notes.at(10).obstacle, "no room");
}

}  // namespace
}  // namespace mallocspy

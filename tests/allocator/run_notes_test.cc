#include "allocator/run_notes.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "allocator/ledger/ledger.h"
#include "allocator/process.h"
#include "allocator/thread_state.h"
#include "tests/allocator/fresh_process.h"
#include "tests/scratch_directory.h"

namespace mallocspy {
namespace {

using ledger::g_ledger;

char* const kNothing[] = {nullptr};

// What the note `name` points to; empty if there is none.
std::string Target(const ScratchDirectory& directory, const std::string& name) {
  std::error_code none;
  return std::filesystem::read_symlink(directory.File(name), none).string();
}

std::string OwnNote(const ScratchDirectory& directory, const std::string& kind) {
  return Target(directory, std::to_string(getpid()) + kind);
}

TEST(RunNotes, OfChildren) {
  InFreshProcess([] {
    ScratchDirectory directory;
    SetInitialEnvironment("MALLOCSPY_RUN", directory.path());
    ASSERT_TRUE(EnsureStarted());
    NoteFork(4194304);
    NoteSpawned(7, "/bin/prog", kNothing);
    NoteSpawned(8, nullptr, nullptr);
    EXPECT_EQ(Target(directory, "4194304.forked"), "fork");
    EXPECT_EQ(Target(directory, "7.spawned"), "/bin/prog");
    EXPECT_EQ(Target(directory, "8.spawned"), "(unknown)");
    EXPECT_EQ(g_ledger.header().unfollowed_forks.load(), 0u);
  });
}

TEST(RunNotes, AnExecIsNotedWhereNoRecordTellsOfIt) {
  InFreshProcess([] {
    ScratchDirectory directory;
    SetInitialEnvironment("MALLOCSPY_RUN", directory.path());
    ASSERT_TRUE(EnsureStarted());
    NoteReplaced("/bin/prog", kNothing);
    EXPECT_EQ(OwnNote(directory, ".spawned"), "") << "the record has it";
    ForgetReplaced(kNothing);
    EXPECT_TRUE(EndsWell(ForkWith([&directory] {
      ASSERT_EQ(CurrentPhase(), Phase::kNotStarted);
      NoteReplaced("/bin/prog", kNothing);
      EXPECT_EQ(OwnNote(directory, ".spawned"), "/bin/prog");
      ForgetReplaced(kNothing);
      EXPECT_EQ(OwnNote(directory, ".spawned"), "");
    })));
    EXPECT_EQ(g_ledger.header().unfollowed_forks.load(), 0u);
  });
}

TEST(RunNotes, WhatAnotherRunRecordsIsNotMissing) {
  InFreshProcess([] {
    ScratchDirectory directory;
    SetInitialEnvironment("MALLOCSPY_RUN", directory.path());
    ASSERT_TRUE(EnsureStarted());
    char variable[] = "MALLOCSPY_RUN=/another";
    char* const another[] = {variable, nullptr};
    NoteSpawned(7, "/bin/prog", another);
    EXPECT_EQ(Target(directory, "7.spawned"), "");
    NoteReplaced("/bin/prog", another);
    EXPECT_EQ(OwnNote(directory, ".elsewhere"), "/bin/prog");
    ForgetReplaced(another);
    EXPECT_EQ(OwnNote(directory, ".elsewhere"), "");
  });
}

TEST(RunNotes, ChildrenThatCannotBeNotedAreCounted) {
  InFreshProcess([] {
    ScratchDirectory directory;
    const std::string run = directory.File("run");
    ASSERT_TRUE(std::filesystem::create_directory(run));
    SetInitialEnvironment("MALLOCSPY_RUN", run);
    ASSERT_TRUE(EnsureStarted());
    std::filesystem::rename(run, directory.File("gone"));
    NoteSpawned(7, "/bin/prog", kNothing);
    EXPECT_EQ(g_ledger.header().unfollowed_forks.load(), 1u);
    EXPECT_TRUE(EndsWell(ForkWith([] {
      NoteReplaced("/bin/prog", kNothing);
      EXPECT_EQ(g_ledger.header().unfollowed_forks.load(), 2u);
      ForgetReplaced(kNothing);
      EXPECT_EQ(g_ledger.header().unfollowed_forks.load(), 1u);
    })));
  });
}

TEST(RunNotes, NoneWithoutRunOrWhereNothingIsFollowed) {
  InFreshProcess([] {
    ASSERT_TRUE(EnsureStarted());
    NoteFork(6);
    NoteSpawned(7, "/bin/prog", kNothing);
    EXPECT_EQ(g_ledger.header().unfollowed_forks.load(), 0u);
  });
  InFreshProcess([] {
    ScratchDirectory directory;
    SetInitialEnvironment("MALLOCSPY_RUN", directory.path());
    SetInitialEnvironment("MALLOCSPY_OPTIONS", "follow=none");
    ASSERT_TRUE(EnsureStarted());
    NoteFork(6);
    NoteSpawned(7, "/bin/prog", kNothing);
    EXPECT_EQ(Target(directory, "6.forked") + Target(directory, "7.spawned"), "");
  });
}

}  // namespace
}  // namespace mallocspy

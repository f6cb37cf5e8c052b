#include "allocator/process.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>

#include "allocator/ledger/ledger.h"
#include "allocator/system/clock.h"
#include "allocator/system/initial_stack.h"
#include "allocator/thread_state.h"
#include "allocator/wrapping_allocator.h"
#include "tests/allocator/fresh_process.h"
#include "tests/allocator/recorded_errors.h"
#include "tests/scratch_directory.h"

namespace mallocspy {
namespace {

using ledger::g_ledger;
using ledger::TableId;

std::string Text(ledger::StringRef text) {
  return text.length == 0 ? "" : std::string(g_ledger.At<char>(TableId::kStrings, text.offset), text.length);
}

uint32_t Pid() { return static_cast<uint32_t>(getpid()); }

bool HasLedger(const std::string& directory, pid_t pid, int image = 0) {
  return std::filesystem::exists(directory + "/" + std::to_string(pid) + "." + std::to_string(image) + ".mspy");
}

// Runs `function` and gives what it wrote to standard error.
template <typename Function>
std::string StandardErrorOf(Function function) {
  testing::internal::CaptureStderr();
  function();
  return testing::internal::GetCapturedStderr();
}

TEST(Process, DescribesItself) {
  InFreshProcess([] {
    SetInitialEnvironment("MALLOCSPY_OPTIONS", "guard=0:stack_depth=7");
    const uint64_t before = RealtimeNs();
    ASSERT_TRUE(EnsureStarted());
    const ledger::Header& header = g_ledger.header();
    EXPECT_EQ(header.pid, Pid());
    EXPECT_EQ(header.parent_pid, static_cast<uint32_t>(getppid()));
    EXPECT_EQ(header.origin, ledger::Origin::kStart);
    EXPECT_EQ(Text(header.exe), std::filesystem::read_symlink("/proc/self/exe"));
    // GoogleTest takes its own arguments out.
    EXPECT_FALSE(Text(header.cmdline).empty());
    EXPECT_EQ(Text(header.cmdline), ReadWholeFile("/proc/self/cmdline").substr(0, header.cmdline.length));
    EXPECT_EQ(Text(header.options), "guard=0:stack_depth=7");
    EXPECT_EQ(header.guard, 0u);
    EXPECT_GE(header.started_ns, before);
    EXPECT_EQ(header.degraded.load(), 0u);
    EXPECT_FALSE(ProcessOptions().guard);
    EXPECT_EQ(ProcessOptions().stack_depth, 7u);
    EXPECT_EQ(RunDirectory(), nullptr);
    EXPECT_TRUE(IsRecordedProcess());
    EXPECT_TRUE(IsReported());
    EXPECT_EQ(g_settings.mark, 1);
    EXPECT_EQ(g_settings.base_mark, 1);
    EXPECT_TRUE(EnsureStarted()) << "once is enough";
  });
}

TEST(Process, TheEnvironmentOverridesTheProgramsOptions) {
  InFreshProcess([] {
    SetOptions("stack_depth=5:guard=0");
    SetInitialEnvironment("MALLOCSPY_OPTIONS", "stack_depth=6");
    ASSERT_TRUE(EnsureStarted());
    EXPECT_EQ(ProcessOptions().stack_depth, 6u);
    EXPECT_FALSE(ProcessOptions().guard);
  });
}

// The program's function runs before there is a record.
TEST(Process, TheProgramsOptionsMayBeMadeWithAllocations) {
  InFreshProcess([] {
    static void* made = nullptr;
    SetOptions("guard=0", [] {
      made = g_heap.Reallocate(g_heap.Allocate(10, {}), 1000, {});
      g_heap.Deallocate(g_heap.Allocate(10, {}), {});
    });
    void* block = g_heap.Allocate(10, {});
    EXPECT_TRUE(g_heap.IsLive(block));
    ASSERT_NE(made, nullptr);
    EXPECT_FALSE(g_heap.IsLive(made));
    g_heap.Deallocate(made, {});
    EXPECT_FALSE(ProcessOptions().guard);
    EXPECT_EQ(g_ledger.header().foreign_frees.load(), 0u);
  });
}

TEST(Process, SaysWhichOptionsItIgnores) {
  InFreshProcess([] {
    SetInitialEnvironment("MALLOCSPY_OPTIONS", "gaurd=0:stack_depth=0:guard=0");
    const std::string said = StandardErrorOf([] { EnsureStarted(); });
    EXPECT_EQ(said,
              "mallocspy: MALLOCSPY_OPTIONS: \"gaurd=0\" is not an option; it is ignored (`mallocspy help options` lists "
              "them)\n"
              "mallocspy: MALLOCSPY_OPTIONS: \"stack_depth=0\" is out of range; it is ignored (`mallocspy help options` "
              "lists them)\n");
    EXPECT_FALSE(ProcessOptions().guard);
  });
}

TEST(Process, WritesItsLedgerWhereRunWantsIt) {
  InFreshProcess([] {
    ScratchDirectory directory;
    SetInitialEnvironment("MALLOCSPY_RUN", directory.path());
    ASSERT_TRUE(EnsureStarted());
    EXPECT_STREQ(RunDirectory(), directory.path().c_str());
    EXPECT_TRUE(g_ledger.memory().shared());
    EXPECT_TRUE(HasLedger(directory.path(), getpid()));
  });
}

TEST(Process, ARelativeRunDirectoryIsNone) {
  InFreshProcess([] {
    SetInitialEnvironment("MALLOCSPY_RUN", "tmp");
    ASSERT_TRUE(EnsureStarted());
    EXPECT_EQ(RunDirectory(), nullptr);
    EXPECT_FALSE(g_ledger.memory().named());
  });
}

// setproctitle() and its like write over the environment that the kernel laid down.
TEST(Process, KeepsItsSettingsWhenTheProgramOverwritesItsEnvironment) {
  InFreshProcess([] {
    ScratchDirectory directory;
    SetInitialEnvironment("MALLOCSPY_RUN", directory.path());
    SetInitialEnvironment("MALLOCSPY_OPTIONS", "record=all:follow=all:report=none:keep=/x/%p");
    ASSERT_TRUE(EnsureStarted());
    for (const char* name : {"MALLOCSPY_RUN", "MALLOCSPY_OPTIONS"}) {
      char* value = const_cast<char*>(InitialEnvironment(name));
      std::memset(value, '#', std::strlen(value));
    }
    EXPECT_EQ(RunDirectory(), directory.path());
    EXPECT_TRUE(ProcessOptions().record.Is("all"));
    EXPECT_TRUE(ProcessOptions().report.Is("none"));
    EXPECT_EQ(std::string(ProcessOptions().keep.data, ProcessOptions().keep.size), "/x/%p");
    void* block = g_heap.Allocate(10, {});
    EXPECT_TRUE(g_heap.IsLive(block)) << "it goes on recording";
    g_heap.Deallocate(block, {});
    const pid_t child = ForkWith([] {
      ASSERT_TRUE(EnsureStarted());
      EXPECT_TRUE(g_ledger.memory().shared());
    });
    EXPECT_TRUE(EndsWell(child));
    EXPECT_TRUE(HasLedger(directory.path(), child));
    EXPECT_EQ(g_ledger.header().unfollowed_forks.load(), 0u);
  });
}

TEST(Process, AForkedChildStartsAgain) {
  InFreshProcess([] {
    ScratchDirectory directory;
    SetInitialEnvironment("MALLOCSPY_RUN", directory.path());
    ASSERT_TRUE(EnsureStarted());
    const uint32_t parent = Pid();
    const pid_t child = ForkWith([parent] {
      EXPECT_EQ(CurrentPhase(), Phase::kNotStarted);
      ASSERT_TRUE(EnsureStarted());
      EXPECT_TRUE(IsRecordedProcess());
      EXPECT_TRUE(IsReported());
      EXPECT_EQ(g_ledger.header().origin, ledger::Origin::kFork);
      EXPECT_EQ(g_ledger.header().pid, Pid());
      EXPECT_EQ(g_ledger.header().parent_pid, parent);
      EXPECT_EQ(g_settings.mark, 2);
      EXPECT_EQ(g_settings.base_mark, 2);
      EXPECT_EQ(g_ledger.header().base_mark, 2u);
      EXPECT_EQ(Text(g_ledger.header().exe), std::filesystem::read_symlink("/proc/self/exe"));
      EXPECT_TRUE(EndsWell(ForkWith([] {
        ASSERT_TRUE(EnsureStarted());
        EXPECT_EQ(g_settings.base_mark, 3);
      })));
    });
    EXPECT_TRUE(EndsWell(child));
    EXPECT_TRUE(HasLedger(directory.path(), child));
    EXPECT_EQ(g_settings.mark, 1);
    EXPECT_EQ(g_ledger.header().unfollowed_forks.load(), 0u);
  });
}

TEST(Process, AChildThatMayNotBeFollowedIsSilent) {
  InFreshProcess([] {
    ScratchDirectory directory;
    SetInitialEnvironment("MALLOCSPY_RUN", directory.path());
    SetInitialEnvironment("MALLOCSPY_OPTIONS", "follow=none");
    ASSERT_TRUE(EnsureStarted());
    const pid_t child = ForkWith([] {
      ASSERT_TRUE(EnsureStarted());
      EXPECT_FALSE(IsReported());
      EXPECT_FALSE(g_ledger.memory().shared());
    });
    EXPECT_TRUE(EndsWell(child));
    EXPECT_FALSE(HasLedger(directory.path(), child));
    EXPECT_EQ(g_ledger.header().unfollowed_forks.load(), 0u) << "nobody wanted it";
  });
}

TEST(Process, AChildThatCannotBeFollowedIsCounted) {
  InFreshProcess([] {
    ScratchDirectory directory;
    const std::string run = directory.File("run");
    ASSERT_TRUE(std::filesystem::create_directory(run));
    SetInitialEnvironment("MALLOCSPY_RUN", run);
    ASSERT_TRUE(EnsureStarted());
    std::filesystem::rename(run, directory.File("gone"));
    EXPECT_TRUE(EndsWell(ForkWith([] {
      ASSERT_TRUE(EnsureStarted());
      EXPECT_FALSE(g_ledger.memory().shared());
      void* block = g_heap.Allocate(10, {});
      EXPECT_TRUE(g_heap.IsLive(block));
    })));
    EXPECT_EQ(g_ledger.header().unfollowed_forks.load(), 1u);
    EXPECT_EQ(LiveBytes(), 0) << "the child wrote to its own record";
  });
}

// Without memory for a record of its own a child must not write to its parent's.
TEST(Process, AChildWithoutMemoryPassesThrough) {
  InFreshProcess([] {
    ScratchDirectory directory;
    const std::string run = directory.File("run");
    ASSERT_TRUE(std::filesystem::create_directory(run));
    SetInitialEnvironment("MALLOCSPY_RUN", run);
    void* inherited = g_heap.Allocate(10, {});
    ASSERT_TRUE(g_heap.IsLive(inherited));
    std::filesystem::rename(run, directory.File("gone"));
    const int64_t live = LiveBytes();
    EXPECT_TRUE(EndsWell(ForkWith([inherited] {
      const rlimit none = {0, 0};
      ASSERT_EQ(setrlimit(RLIMIT_AS, &none), 0);
      void* block = g_heap.Allocate(10, {});
      EXPECT_FALSE(g_heap.IsLive(block));
      g_heap.Deallocate(block, {});
      g_heap.Deallocate(inherited, {});
      EXPECT_FALSE(IsRecordedProcess());
    })));
    EXPECT_EQ(g_ledger.header().pid, Pid());
    EXPECT_EQ(LiveBytes(), live);
    EXPECT_EQ(g_ledger.header().unfollowed_forks.load(), 1u);
    EXPECT_EQ(g_ledger.Count(TableId::kThreads), 2u);
  });
}

TEST(Process, AVforkChildIsItsParent) {
  MALLOCSPY_SKIP_UNDER_TSAN();
  InFreshProcess([] {
    ASSERT_TRUE(EnsureStarted());
    const pid_t child = vfork();
    if (child == 0) _exit(CurrentPhase() == Phase::kRunning && EnsureStarted() && !IsRecordedProcess() ? 0 : 1);
    EXPECT_TRUE(EndsWell(child));
    EXPECT_TRUE(IsRecordedProcess());
  });
}

TEST(Process, BlocksOfTheParentAreNotTheChilds) {
  InFreshProcess([] {
    void* inherited = g_heap.Allocate(100, {});
    void* other = g_heap.Allocate(100, {});
    EXPECT_TRUE(EndsWell(ForkWith([=] {
      void* own = g_heap.Allocate(30, {});
      EXPECT_EQ(LiveBytes(), 30);
      EXPECT_TRUE(g_heap.IsLive(inherited));
      EXPECT_EQ(g_heap.SizeOf(inherited), 100u);
      g_heap.Deallocate(inherited, {});
      void* moved = g_heap.Reallocate(other, 2000, {});
      EXPECT_EQ(g_ledger.header().inherited_frees.load(), 2u);
      EXPECT_EQ(LiveBytes(), 2030) << "what was resized is the child's from now on";
      g_heap.Deallocate(own, {});
      g_heap.Deallocate(moved, {});
      EXPECT_EQ(LiveBytes(), 0);
      EXPECT_EQ(g_ledger.header().inherited_frees.load(), 2u);
    })));
    EXPECT_TRUE(g_heap.IsLive(inherited));
    EXPECT_EQ(LiveBytes(), 200);
  });
}

}  // namespace
}  // namespace mallocspy

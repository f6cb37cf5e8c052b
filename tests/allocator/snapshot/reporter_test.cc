#include "allocator/snapshot/reporter.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>

#include "allocator/capture/unwinder.h"
#include "allocator/process.h"
#include "allocator/snapshot/ending.h"
#include "allocator/thread_state.h"
#include "allocator/wrapping_allocator.h"
#include "tests/allocator/fresh_process.h"
#include "tests/scratch_directory.h"

namespace mallocspy {
namespace {

template <typename Function>
std::string StandardErrorOf(Function function) {
  testing::internal::CaptureStderr();
  function();
  return testing::internal::GetCapturedStderr();
}

__attribute__((noinline)) void* MakeHere(size_t bytes) {
  void* block = g_heap.Allocate(bytes, {});
  asm volatile("" ::"r"(block));
  return block;
}
__attribute__((noinline)) void* MakeThere(size_t bytes) {
  void* block = g_heap.Allocate(bytes, {});
  asm volatile("" ::"r"(block) : "memory");
  return block;
}

// At one place of the program: the loop is not unrolled.
__attribute__((noinline)) void MakeSeveral(int count, size_t bytes) {
  for (int i = 0; i < count; ++i) {
    MakeHere(bytes);
    asm volatile("" : "+r"(count));
  }
}

TEST(PlainReport, OfACleanProcess) {
  InFreshProcess([] {
    g_heap.Deallocate(MakeHere(1), {});
    EXPECT_EQ(StandardErrorOf(PrintPlainReport), "mallocspy: clean: no block is live and no error was met\n");
  });
}

TEST(PlainReport, LargestStackFirstWithModulesAndOffsets) {
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    MakeSeveral(3, 10);
    MakeThere(100);
    const std::string text = StandardErrorOf(PrintPlainReport);
    const std::string exe = std::filesystem::read_symlink("/proc/self/exe");
    EXPECT_EQ(text.find("==" + std::to_string(getpid()) +
                        "==ERROR: mallocspy: 4 block(s) live at the end, 0 kind(s) of heap error\n"),
              0u);
    const size_t large = text.find("Direct leak of 100 byte(s) in 1 object(s) allocated from:\n    #0 0x");
    const size_t small = text.find("Direct leak of 30 byte(s) in 3 object(s) allocated from:\n    #0 0x");
    ASSERT_NE(large, std::string::npos) << text;
    ASSERT_NE(small, std::string::npos) << text;
    EXPECT_LT(large, small);
    EXPECT_NE(text.find(" (" + exe + "+0x"), std::string::npos);
    EXPECT_NE(text.find("SUMMARY: mallocspy: 130 byte(s) leaked in 4 allocation(s).\n"), std::string::npos);
  });
}

TEST(PlainReport, StacksOfEqualSizeAreAllThere) {
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    MakeSeveral(2, 0);
    MakeThere(0);
    MakeThere(0);
    const std::string text = StandardErrorOf(PrintPlainReport);
    size_t leaks = 0;
    for (size_t at = 0; (at = text.find("Direct leak of 0 byte(s)", at)) != std::string::npos; ++at) ++leaks;
    EXPECT_EQ(leaks, 3u) << text;
  });
}

TEST(PlainReport, ADestroyedHeaderMakesNoNonsense) {
  InFreshProcess([] {
    char* block = static_cast<char*>(MakeHere(100));
    block[-1] ^= 1;
    g_heap.Deallocate(block, {});
    const std::string text = StandardErrorOf(PrintPlainReport);
    EXPECT_EQ(text.find("18446744073709551615"), std::string::npos) << text;
    EXPECT_NE(text.find("1 kind(s) of heap error"), std::string::npos) << text;
  });
}

std::string MakeTool(const ScratchDirectory& directory, const std::string& script) {
  const std::string path = directory.Write("mallocspy", "#!/bin/sh\n" + script);
  chmod(path.c_str(), 0755);
  return path;
}

TEST(SpawnReport, WithoutAToolSaysNo) {
  InFreshProcess([] {
    ASSERT_TRUE(EnsureStarted());
    FindReportTool();
    EXPECT_FALSE(SpawnReport(0));
  });
}

TEST(SpawnReport, RunsTheToolOnTheDescriptor) {
  InFreshProcess([] {
    ScratchDirectory directory;
    SetInitialEnvironment("MALLOCSPY_TOOL",
                          MakeTool(directory, "echo \"$1\" > \"$(dirname $0)/said\"; cat \"$2\" >> \"$(dirname $0)/said\"\n"
                                              "env | grep -E '^(MALLOCSPY|LD_PRELOAD)' >> \"$(dirname $0)/said\"\n"
                                              "exit 0\n"));
    setenv("MALLOCSPY_OPTIONS", "guard=0", 1);
    setenv("LD_PRELOAD", "", 1);
    ASSERT_TRUE(EnsureStarted());
    FindReportTool();
    const int fd = memfd_create("x", 0);
    ASSERT_EQ(write(fd, "content\n", 8), 8);
    const int high = fcntl(fd, F_DUPFD, 123);
    EXPECT_TRUE(SpawnReport(fd));
    EXPECT_EQ(ReadWholeFile(directory.File("said")), "report\ncontent\n") << "and the tool is not recorded itself";
    EXPECT_TRUE(SpawnReport(high));
    EXPECT_EQ(ReadWholeFile(directory.File("said")), "report\ncontent\n");
  });
}

TEST(SpawnReport, ADescriptorOfAnyNumber) {
  InFreshProcess([] {
    ScratchDirectory directory;
    SetInitialEnvironment("MALLOCSPY_TOOL", MakeTool(directory, "echo \"$2\" > \"$(dirname $0)/said\"\n"));
    ASSERT_TRUE(EnsureStarted());
    FindReportTool();
    for (const int fd : {0, 7, 10, 99, 100, 1107, 2147483647}) {
      EXPECT_TRUE(SpawnReport(fd));
      EXPECT_EQ(ReadWholeFile(directory.File("said")), "/proc/self/fd/" + std::to_string(fd) + "\n");
    }
  });
}

TEST(SpawnReport, ATruthfulAnswerWhateverTheToolDoes) {
  InFreshProcess([] {
    ScratchDirectory directory;
    SetInitialEnvironment("MALLOCSPY_TOOL", MakeTool(directory, "exit 23\n"));
    ASSERT_TRUE(EnsureStarted());
    FindReportTool();
    EXPECT_TRUE(SpawnReport(0)) << "leaks were reported";
    std::filesystem::remove(directory.File("mallocspy"));
    EXPECT_FALSE(SpawnReport(0)) << "it is gone meanwhile";
  });
}

TEST(SpawnReport, TheProgramsSignalsAndChildrenAreLeftAlone) {
  InFreshProcess([] {
    ScratchDirectory directory;
    SetInitialEnvironment("MALLOCSPY_TOOL", MakeTool(directory, "exit 0\n"));
    ASSERT_TRUE(EnsureStarted());
    FindReportTool();
    sigset_t before;
    sigprocmask(SIG_BLOCK, nullptr, &before);
    EXPECT_TRUE(SpawnReport(0));
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "the program has no child that it knows of";
    sigset_t after;
    sigprocmask(SIG_BLOCK, nullptr, &after);
    EXPECT_EQ(std::memcmp(&before, &after, sizeof(uint64_t)), 0);
    std::signal(SIGCHLD, SIG_IGN);
    EXPECT_TRUE(SpawnReport(0));
  });
}

TEST(Report, AutoRunsTheTool) {
  InFreshProcess([] {
    ScratchDirectory directory;
    SetInitialEnvironment("MALLOCSPY_TOOL", MakeTool(directory, "echo reported >&2\n"));
    MakeHere(1);
    FindReportTool();
    EXPECT_EQ(StandardErrorOf([] { EndRecord(ledger::End::kExit, 0); }), "reported\n");
  });
}

TEST(Report, AToolThatMakesNoReportIsNamedWithWhatItDid) {
  for (const auto& [script, what] : {std::pair("exit 1\n", " ended with status 1 instead of a report, "),
                                     std::pair("kill -9 $$\n", " was killed by signal 9, "),
                                     std::pair("rm $0; exit 127\n", " could not be executed, ")}) {
    InFreshProcess([script = script, what = what] {
      ScratchDirectory directory;
      const std::string tool = MakeTool(directory, script);
      SetInitialEnvironment("MALLOCSPY_TOOL", tool);
      MakeHere(1);
      FindReportTool();
      const std::string text = StandardErrorOf([] { EndRecord(ledger::End::kExit, 0); });
      EXPECT_EQ(text.find("mallocspy: " + tool + what), 0u) << text;
      EXPECT_NE(text.find("1 block(s) live at the end"), std::string::npos) << text;
      EXPECT_EQ(text.find("not found"), std::string::npos) << text;
    });
  }
}

TEST(Report, AFailedToolOfACleanProcessIsNotSilent) {
  InFreshProcess([] {
    ScratchDirectory directory;
    SetInitialEnvironment("MALLOCSPY_TOOL", MakeTool(directory, "exit 1\n"));
    g_heap.Deallocate(MakeHere(1), {});
    FindReportTool();
    const std::string text = StandardErrorOf([] { EndRecord(ledger::End::kExit, 0); });
    EXPECT_NE(text.find("ended with status 1"), std::string::npos) << text;
    EXPECT_NE(text.find("clean"), std::string::npos) << text;
  });
}

TEST(Report, AToolThatIsNoProgramIsNamed) {
  InFreshProcess([] {
    SetInitialEnvironment("MALLOCSPY_TOOL", "/nowhere/mallocspy");
    MakeHere(1);
    FindReportTool();
    const std::string text = StandardErrorOf([] { EndRecord(ledger::End::kExit, 0); });
    EXPECT_NE(text.find("MALLOCSPY_TOOL is /nowhere/mallocspy, which is no program"), std::string::npos) << text;
  });
}

TEST(Report, AutoWithoutAToolIsPlain) {
  InFreshProcess([] {
    MakeHere(1);
    const std::string text = StandardErrorOf([] { EndRecord(ledger::End::kExit, 0); });
    EXPECT_NE(text.find("1 block(s) live at the end"), std::string::npos) << text;
  });
}

}  // namespace
}  // namespace mallocspy

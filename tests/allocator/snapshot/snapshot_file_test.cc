#include "allocator/snapshot/snapshot_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "allocator/capture/unwinder.h"
#include "allocator/ledger/ledger.h"
#include "allocator/marks.h"
#include "allocator/process.h"
#include "allocator/snapshot/ending.h"
#include "allocator/thread_state.h"
#include "allocator/wrapping_allocator.h"
#include "tests/allocator/fresh_process.h"
#include "tests/allocator/ledger/small_file_system.h"
#include "tests/allocator/recorded_errors.h"
#include "tests/scratch_directory.h"
#include "tools/reader/reader.h"

namespace mallocspy {
namespace {

using ledger::g_ledger;

void MakeBlocks(size_t count) {
  for (size_t i = 0; i < count; ++i) g_heap.Allocate(i % 100, {.door = i % 2 == 0 ? Door::kMalloc : Door::kNew});
}

absl::StatusOr<Snapshot> WriteAndRead(uint32_t lowest_mark = 0) {
  ScratchDirectory directory;
  const std::string path = directory.Write("x.mspy", "");
  const int fd = open(path.c_str(), O_WRONLY);
  SnapshotSink sink = SnapshotSink::File(fd);
  EXPECT_TRUE(WriteSnapshot(&sink, lowest_mark));
  close(fd);
  return ReadSnapshotFile(path);
}

std::string EndAndSay() {
  testing::internal::CaptureStderr();
  EndRecord(ledger::End::kExit, 3);
  return testing::internal::GetCapturedStderr();
}

TEST(SnapshotFile, OnlyBlocksSinceAMark) {
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    MakeBlocks(100);
    const uint64_t mark = BeginMark();
    MakeBlocks(3000);
    ASSERT_EQ(FreezeEvents(60000), 0u);
    const auto snapshot = WriteAndRead(HeaderMarkSince(mark));
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
    EXPECT_EQ(snapshot->blocks.size(), 3000u);
    for (const SnapshotBlock& block : snapshot->blocks) ASSERT_EQ(block.mark, mark);
  });
}

TEST(SnapshotFile, WhatWasWrittenIsRead) {
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    MakeBlocks(10000);
    g_heap.Deallocate(reinterpret_cast<void*>(1), {});
    ASSERT_EQ(FreezeEvents(60000), 0u);
    const auto snapshot = WriteAndRead();
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
    EXPECT_EQ(snapshot->state, ledger::State::kEnded);
    EXPECT_EQ(snapshot->pid, static_cast<uint32_t>(getpid()));
    EXPECT_EQ(snapshot->exe, std::filesystem::read_symlink("/proc/self/exe"));
    EXPECT_TRUE(snapshot->blocks_known);
    ASSERT_EQ(snapshot->blocks.size(), 10000u);
    ASSERT_EQ(snapshot->errors.size(), 1u);
    EXPECT_EQ(snapshot->errors[0].kind, ledger::ErrorKind::kInvalidFree);
    EXPECT_EQ(snapshot->threads.size(), 1u);
    EXPECT_EQ(snapshot->damaged_records, 0u);
    ASSERT_EQ(snapshot->stacks.size(), g_ledger.Count(ledger::TableId::kStacks));
    ASSERT_EQ(snapshot->nodes.size(), g_ledger.Count(ledger::TableId::kNodes));
    ASSERT_EQ(snapshot->modules.size(), g_ledger.Count(ledger::TableId::kModules));
    EXPECT_GT(snapshot->modules.size(), 3u);
    uint64_t live = 0;
    for (uint32_t i = 0; i < snapshot->stacks.size(); ++i) {
      const auto* stack = g_ledger.At<ledger::Stack>(ledger::TableId::kStacks, i);
      ASSERT_EQ(snapshot->stacks[i].node, stack->node);
      ASSERT_EQ(snapshot->stacks[i].allocations, CountersOf(static_cast<uint32_t>(i)).allocations);
      live += snapshot->stacks[i].live_blocks();
    }
    EXPECT_EQ(live, 10000u);
    for (uint32_t i = 0; i < snapshot->nodes.size(); ++i) {
      const auto* node = g_ledger.At<ledger::Node>(ledger::TableId::kNodes, i);
      ASSERT_EQ(snapshot->nodes[i].site, node->site);
      ASSERT_EQ(snapshot->nodes[i].parent, node->parent);
    }
  });
}

TEST(SnapshotFile, WithoutAnyBlock) {
  InFreshProcess([] {
    ASSERT_TRUE(EnsureStarted());
    const auto snapshot = WriteAndRead();
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
    EXPECT_TRUE(snapshot->blocks.empty());
    EXPECT_TRUE(snapshot->blocks_known);
  });
}

TEST(SnapshotFile, SaysWhyItCouldNotBeWritten) {
  InFreshProcess([] {
    MakeBlocks(10);
    SnapshotSink read_only = SnapshotSink::File(open("/dev/null", O_RDONLY));
    EXPECT_FALSE(WriteSnapshot(&read_only, 0));
    EXPECT_EQ(read_only.error(), -EBADF);
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    SnapshotSink pipe_as_file = SnapshotSink::File(pipe_ends[1]);
    EXPECT_FALSE(WriteSnapshot(&pipe_as_file, 0));
    EXPECT_EQ(pipe_as_file.error(), -ESPIPE);
  });
}

TEST(SnapshotFile, AFullFileSystem) {
  if (!MayMount()) GTEST_SKIP() << "needs the right to mount a small tmpfs";
  InFreshProcess([] {
    ScratchDirectory directory;
    const SmallFileSystem small(directory.path(), 64 * 1024);
    MakeBlocks(10000);
    const int fd = open(directory.File("x").c_str(), O_WRONLY | O_CREAT, 0600);
    SnapshotSink sink = SnapshotSink::File(fd);
    EXPECT_FALSE(WriteSnapshot(&sink, 0));
    EXPECT_EQ(sink.error(), -ENOSPC);
    close(fd);
  });
}

TEST(SnapshotFile, TheLimitOfFileSizeIsNoSignal) {
  for (const rlim_t bytes : {0, 4096, 30000, 100000}) {
    InFreshProcess([bytes] {
      MakeBlocks(10000);
      const int fd = memfd_create("x", 0);
      const rlimit limit = {bytes, bytes};
      ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
      SnapshotSink sink = SnapshotSink::File(fd);
      EXPECT_FALSE(WriteSnapshot(&sink, 0));
      EXPECT_EQ(sink.error(), -EFBIG);
    });
  }
}

TEST(Keep, WritesTheFileAndSaysSo) {
  InFreshProcess([] {
    ScratchDirectory directory;
    const std::string options = "report=none:keep=" + directory.path() + "/a%p-%p.mspy";
    SetOptions(options.c_str());
    MakeBlocks(10);
    const std::string pid = std::to_string(getpid());
    const std::string path = directory.File("a" + pid + "-" + pid + ".mspy");
    EXPECT_EQ(EndAndSay(), "mallocspy: wrote " + path + "; `mallocspy report` reads it\n");
    struct stat info;
    ASSERT_EQ(stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0600u);
    const auto snapshot = ReadSnapshotFile(path);
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
    EXPECT_EQ(snapshot->blocks.size(), 10u);
    EXPECT_EQ(snapshot->end_value, 3);
  });
}

TEST(Keep, ReplacesAFileButFollowsNoLink) {
  InFreshProcess([] {
    ScratchDirectory directory;
    const std::string victim = directory.Write("victim", "precious");
    const std::string path = directory.Write("x.mspy", "an older one");
    const std::string options = "report=none:keep=" + path;
    SetOptions(options.c_str());
    MakeBlocks(10);
    EXPECT_TRUE(EndsWell(ForkWith([&] {
      MakeBlocks(3);
      EXPECT_NE(EndAndSay().find("wrote"), std::string::npos);
    })));
    EXPECT_TRUE(ReadSnapshotFile(path).ok());
    std::filesystem::remove(path);
    std::filesystem::create_symlink(victim, path);
    EXPECT_EQ(EndAndSay(), "mallocspy: the snapshot could not be written to " + path +
                               ": it exists and is no regular file; choose another file with keep=\n");
    EXPECT_EQ(ReadWholeFile(victim), "precious");
  });
}

TEST(Keep, SaysWhatWentWrong) {
  InFreshProcess([] {
    SetOptions("report=none:keep=/no/such/directory/x.mspy");
    MakeBlocks(10);
    EXPECT_EQ(EndAndSay(),
              "mallocspy: the snapshot could not be written to /no/such/directory/x.mspy: error 2; choose another file with "
              "keep=\n");
  });
  InFreshProcess([] {
    static const std::string options = "report=none:keep=/" + std::string(5000, 'x');
    SetOptions(options.c_str());
    MakeBlocks(10);
    const std::string said = EndAndSay();
    EXPECT_EQ(said.find("mallocspy: the snapshot could not be written to /xxxxx"), 0u);
    EXPECT_EQ(said.substr(said.size() - 7), "xxx...\n") << "the line was cut, since the name is long";
  });
}

TEST(Keep, AFileThatCouldNotBeWrittenWholeIsRemoved) {
  InFreshProcess([] {
    ScratchDirectory directory;
    const std::string path = directory.File("x.mspy");
    const std::string options = "report=none:keep=" + path;
    SetOptions(options.c_str());
    MakeBlocks(10000);
    const rlimit limit = {100000, 100000};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    EXPECT_NE(EndAndSay().find("could not be written"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(path));
  });
}

TEST(Report, NoneMeansSilence) {
  InFreshProcess([] {
    SetOptions("report=none");
    MakeBlocks(10);
    EXPECT_EQ(EndAndSay(), "");
  });
}

TEST(Report, UnderRunTheProcessIsSilent) {
  InFreshProcess([] {
    ScratchDirectory directory;
    SetInitialEnvironment("MALLOCSPY_RUN", directory.path());
    MakeBlocks(10);
    EXPECT_EQ(EndAndSay(), "");
  });
}

}  // namespace
}  // namespace mallocspy

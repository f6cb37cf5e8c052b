#include "allocator/snapshot/page_faults.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <csetjmp>
#include <csignal>
#include <thread>
#include <vector>

#include "allocator/capture/unwinder.h"
#include "allocator/page_guard.h"
#include "allocator/process.h"
#include "allocator/snapshot/fatal_signals.h"
#include "allocator/snapshot/fault_action.h"
#include "allocator/wrapping_allocator.h"
#include "tests/allocator/fresh_process.h"
#include "tests/allocator/recorded_errors.h"
#include "tests/allocator/snapshot/ended_process.h"

namespace mallocspy {
namespace {

using ledger::ErrorKind;

void Start(const char* options) {
  SetOptions(options);
  ASSERT_TRUE(EnsureStarted());
  ASSERT_TRUE(LoadUnwinder());
  BindSigaction(::sigaction);
  WatchPageFaults();
}

char* Make(size_t bytes) { return static_cast<char*>(g_heap.Allocate(bytes, {})); }
char* MakeFreed(size_t bytes) {
  char* block = Make(bytes);
  g_heap.Deallocate(block, {});
  return block;
}
char Read(const volatile char* address) { return *address; }
void Write(volatile char* address) { *address = 1; }

void ExpectOnly(ErrorKind kind, const char* block, int64_t offset) {
  const std::vector<RecordedError> errors = RecordedErrors();
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].kind, kind);
  EXPECT_EQ(errors[0].address, reinterpret_cast<uintptr_t>(block));
  EXPECT_EQ(static_cast<int64_t>(errors[0].value), offset);
  const auto* error = ledger::g_ledger.At<ledger::Error>(ledger::TableId::kErrors, 1);
  EXPECT_NE(error->flags & ledger::kErrorTrapped, 0);
  EXPECT_NE(error->where, 0u);
  EXPECT_NE(error->allocated, 0u);
  EXPECT_EQ(error->freed != 0, kind == ErrorKind::kUseAfterFreeRead || kind == ErrorKind::kUseAfterFreeWrite);
}

TEST(PageFaults, EachAccessIsToldAndThenDone) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    Start("page_guard=1");
    char* block = MakeFreed(100);
    EXPECT_EQ(Read(block + 40), 0);
    EXPECT_EQ(Read(block + 41), 0) << "now it is open";
    ExpectOnly(ErrorKind::kUseAfterFreeRead, block, 40);
  });
  InFreshProcess([] {
    Start("page_guard=1");
    char* block = MakeFreed(100);
    Write(block + 99);
    EXPECT_EQ(Read(block + 99), 1);
    ExpectOnly(ErrorKind::kUseAfterFreeWrite, block, 99);
  });
  InFreshProcess([] {
    Start("page_guard=1");
    char* block = Make(100);
    EXPECT_EQ(Read(block + 112), 0);
    ExpectOnly(ErrorKind::kHeapOverflowRead, block, 112);
  });
  InFreshProcess([] {
    Start("page_guard=1");
    char* block = Make(96);
    Write(block + 96);
    ExpectOnly(ErrorKind::kHeapOverflow, block, 96);
  });
  InFreshProcess([] {
    Start("page_guard=1:page_guard_side=before");
    char* block = Make(100);
    EXPECT_EQ(Read(block - 17), 0);
    ExpectOnly(ErrorKind::kHeapUnderflowRead, block, -17);
  });
  InFreshProcess([] {
    Start("page_guard=1:page_guard_side=before");
    char* block = Make(100);
    Write(block - 100);
    ExpectOnly(ErrorKind::kHeapUnderflow, block, -100);
  });
}

TEST(PageFaults, OfManyThreadsOnOnePage) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    Start("page_guard=1");
    for (int round = 0; round < 50; ++round) {
      char* block = MakeFreed(100);
      std::vector<std::thread> threads;
      for (int i = 0; i < 4; ++i) threads.emplace_back([block] { EXPECT_EQ(Read(block), 0); });
      for (std::thread& thread : threads) thread.join();
    }
    for (const RecordedError& error : RecordedErrors()) EXPECT_EQ(error.kind, ErrorKind::kUseAfterFreeRead);
  });
}

TEST(PageFaults, InAnEventAreLetThrough) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    Start("page_guard=1");
    char* block = MakeFreed(100);
    const Event event;
    EXPECT_EQ(Read(block), 0);
    EXPECT_TRUE(RecordedErrors().empty());
  });
}

TEST(PageFaults, OnErrorAbortEndsWithTheErrorWritten) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  const EndedProcess ended = RunRecorded([] {
    const rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    EnsureStarted();
    LoadUnwinder();
    BindSigaction(::sigaction);
    WatchFatalSignals(false);
    WatchPageFaults();
    Read(MakeFreed(10));
  }, "page_guard=1:on_error=abort");
  ASSERT_TRUE(WIFSIGNALED(ended.status));
  EXPECT_EQ(WTERMSIG(ended.status), SIGABRT);
  ASSERT_EQ(ended.snapshot.errors.size(), 1u);
  EXPECT_EQ(ended.snapshot.errors[0].kind, ErrorKind::kUseAfterFreeRead);
  EXPECT_TRUE(ended.snapshot.errors[0].trapped);
  EXPECT_EQ(ended.snapshot.page_guarded, 1u);
  EXPECT_GT(ended.snapshot.mapping_limit, 0u);
}

TEST(PageFaults, OthersEndTheProgramWithARecord) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  for (const bool watched : {true, false}) {
    const EndedProcess ended = RunRecorded([watched] {
      const rlimit none = {0, 0};
      setrlimit(RLIMIT_CORE, &none);
      EnsureStarted();
      BindSigaction(::sigaction);
      if (watched) WatchFatalSignals(false);
      WatchPageFaults();
      Make(10);
      volatile char* nowhere = reinterpret_cast<char*>(16);
      asm volatile("" : "+r"(nowhere));
      *nowhere = 1;
    }, "page_guard=1");
    ASSERT_TRUE(WIFSIGNALED(ended.status));
    EXPECT_EQ(WTERMSIG(ended.status), SIGSEGV);
    EXPECT_EQ(ended.snapshot.state, watched ? ledger::State::kEnded : ledger::State::kRunning);
    EXPECT_TRUE(ended.snapshot.errors.empty());
  }
}

}  // namespace
}  // namespace mallocspy

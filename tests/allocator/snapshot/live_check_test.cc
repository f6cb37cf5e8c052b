#include "allocator/snapshot/live_check.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

#include "allocator/ledger/ledger.h"
#include "allocator/marks.h"
#include "allocator/snapshot/ending.h"
#include "allocator/system/raw_syscall.h"
#include "allocator/thread_state.h"
#include "allocator/wrapping_allocator.h"
#include "tests/allocator/fresh_process.h"

namespace mallocspy {
namespace {

// All that is above this call is the program's.
ProgramPoint Here() {
  return {static_cast<uint32_t>(RawSyscall(SYS_gettid)), reinterpret_cast<uintptr_t>(__builtin_frame_address(0)), 0, 0};
}

mallocspy_leaks Check(uint64_t since) {
  mallocspy_leaks found;
  CheckLeaksNow(Here(), since, &found);
  return found;
}

void* held = nullptr;

TEST(LiveCheck, CountsByClassAndGoesOn) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    const uint64_t since = BeginMark();
    held = g_heap.Allocate(50, {.door = Door::kMalloc});
    const mallocspy_leaks found = Check(since);
    EXPECT_EQ(found.error, 0);
    EXPECT_EQ(found.reachable.blocks, 1u);
    EXPECT_EQ(found.reachable.bytes, 50u);
    EXPECT_EQ(found.unanswered, 0u);
    EXPECT_EQ(CurrentPhase(), Phase::kRunning);
    g_heap.Deallocate(held, {.door = Door::kMalloc});
    held = nullptr;
    EXPECT_EQ(Check(since).reachable.blocks, 0u);
  });
}

TEST(LiveCheck, NotFromInsideOfAnEvent) {
  InFreshProcess([] {
    g_heap.Deallocate(g_heap.Allocate(1, {}), {});
    const Event event;
    EXPECT_EQ(Check(0).error, EDEADLK);
  });
}

TEST(LiveCheck, NotAfterTheRecord) {
  InFreshProcess([] {
    g_heap.Deallocate(g_heap.Allocate(1, {}), {});
    EndRecord(ledger::End::kExit, 0);
    EXPECT_EQ(Check(0).error, ENODATA);
  });
}

TEST(LiveCheck, NoReportWithoutTheCommand) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    g_heap.Deallocate(g_heap.Allocate(1, {}), {});
    EXPECT_EQ(ReportLeaksNow(Here(), 0, nullptr, 2), -ENOENT);
    EXPECT_EQ(CurrentPhase(), Phase::kRunning);
  });
}

TEST(LiveCheck, TheRecordEndsAsEverAfterwards) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    held = g_heap.Allocate(50, {.door = Door::kMalloc});
    Check(0);
    // What the copy wrote down of roots and blocks stayed there.
    EXPECT_EQ(ledger::g_ledger.Count(ledger::TableId::kRoots), 0u);
    EXPECT_EQ(ledger::g_ledger.header().blocks_count, 0u);
    EndRecord(ledger::End::kExit, 0);
    EXPECT_EQ(CurrentPhase(), Phase::kOver);
  });
}

}  // namespace
}  // namespace mallocspy

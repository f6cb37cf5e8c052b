#include "allocator/heap_errors.h"

#include <gtest/gtest.h>

#include <vector>

#include "allocator/system/wrapped_malloc.h"
#include "allocator/wrapping_allocator.h"
#include "tests/allocator/fresh_process.h"
#include "tests/allocator/recorded_errors.h"

namespace mallocspy {
namespace {

using ledger::ErrorKind;

TEST(DoorsMatch, WithinAFamilyAndForASpysChoice) {
  for (uint32_t made = 0; made < kDoors; ++made) {
    EXPECT_TRUE(DoorsMatch(static_cast<Door>(made), static_cast<Door>(made)));
    EXPECT_TRUE(DoorsMatch(static_cast<Door>(made), Door::kNone));
  }
  EXPECT_TRUE(DoorsMatch(Door::kAlignedMalloc, Door::kMalloc)) << "free() frees what memalign() made";
  EXPECT_TRUE(DoorsMatch(Door::kMalloc, Door::kAlignedMalloc));
  EXPECT_FALSE(DoorsMatch(Door::kNew, Door::kNewArray));
  EXPECT_FALSE(DoorsMatch(Door::kNew, Door::kAlignedNew));
  EXPECT_FALSE(DoorsMatch(Door::kNewArray, Door::kAlignedNewArray));
  EXPECT_FALSE(DoorsMatch(Door::kTask, Door::kMalloc));
  EXPECT_FALSE(DoorsMatch(Door::kMalloc, Door::kNew));
}

TEST(ReportBlockError, SaysWhatTheHeaderSays) {
  InFreshProcess([] {
    void* block = g_heap.Allocate(27, {.door = Door::kNewArray});
    const Event event;
    ReportBlockError(ErrorKind::kMismatchedFree, block, HeaderOf(block), Door::kNew, 5, event.thread());
    ReportBlockError(ErrorKind::kHeapUnderflow, block, nullptr, Door::kNew, 0, event.thread());
    const std::vector<RecordedError> errors = RecordedErrors();
    ASSERT_EQ(errors.size(), 2u);
    EXPECT_EQ(errors[0].made, Door::kNewArray);
    EXPECT_EQ(errors[0].used, Door::kNew);
    EXPECT_EQ(errors[0].size, 27u);
    EXPECT_EQ(errors[0].value, 5u);
    EXPECT_EQ(errors[0].address, reinterpret_cast<uintptr_t>(block));
    EXPECT_EQ(errors[1].made, Door::kNone);
    EXPECT_EQ(errors[1].size, 0u);
    const auto* error = ledger::g_ledger.At<ledger::Error>(ledger::TableId::kErrors, 1);
    EXPECT_EQ(error->tid, event.thread()->tid);
    const auto* stack = ledger::g_ledger.At<ledger::Stack>(ledger::TableId::kStacks, HeaderOf(block)->stack);
    EXPECT_EQ(error->allocated, stack->node);
  });
}

TEST(JudgeForeign, FreedInteriorStackAndPerhapsAnothers) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    char* block = static_cast<char*>(g_heap.Allocate(100, {}));
    char* freed = static_cast<char*>(g_heap.Allocate(100000, {}));
    g_heap.Deallocate(freed, {});
    void* foreign = wrapped::Malloc(64);
    alignas(16) char local[16];
    const Event event;
    EXPECT_TRUE(JudgeForeign(freed, Door::kMalloc, event.thread()));
    EXPECT_TRUE(JudgeForeign(block + 48, Door::kMalloc, event.thread()));
    EXPECT_TRUE(JudgeForeign(local, Door::kMalloc, event.thread()));
    EXPECT_TRUE(JudgeForeign(block + 99, Door::kMalloc, event.thread()));
    EXPECT_FALSE(JudgeForeign(foreign, Door::kMalloc, event.thread()));
    const std::vector<RecordedError> errors = RecordedErrors();
    ASSERT_GE(errors.size(), 3u);
    EXPECT_EQ(errors[0].kind, ErrorKind::kDoubleFree);
    EXPECT_EQ(errors[1].kind, ErrorKind::kInvalidFree);
    EXPECT_EQ(errors[1].value, 48u);
    EXPECT_EQ(errors[1].size, 100u);
    EXPECT_EQ(errors[2].size, 0u) << "no block is around a local variable";
    wrapped::Free(foreign);
  });
}

}  // namespace
}  // namespace mallocspy

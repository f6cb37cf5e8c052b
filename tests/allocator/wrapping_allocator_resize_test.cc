// WrappingAllocator::Reallocate().
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "allocator/ledger/live_map.h"
#include "allocator/process.h"
#include "allocator/system/wrapped_malloc.h"
#include "allocator/wrapping_allocator.h"
#include "tests/allocator/fresh_process.h"
#include "tests/allocator/recorded_errors.h"

namespace mallocspy {
namespace {

using ledger::ErrorKind;
using ledger::g_ledger;

char* Make(size_t bytes, const Request& request = {}) {
  char* block = static_cast<char*>(g_heap.Allocate(bytes, request));
  for (size_t i = 0; i < bytes; ++i) block[i] = static_cast<char>(i * 7 + 1);
  return block;
}

void ExpectContent(const char* block, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) ASSERT_EQ(block[i], static_cast<char>(i * 7 + 1)) << "byte " << i << " of " << bytes;
}

void ExpectWhole(const char* block, size_t bytes) {
  EXPECT_TRUE(g_heap.IsLive(block));
  EXPECT_EQ(g_heap.SizeOf(block), bytes);
  EXPECT_TRUE(IsSealed(HeaderOf(block)));
  EXPECT_EQ(CheckGuard(block, bytes), 0u);
}

TEST(Reallocate, EverySizeToEverySize) {
  InFreshProcess([] {
    const size_t sizes[] = {0, 1, 8, 15, 16, 17, 100, 4000, 100000, 300000};
    uint64_t allocations = 0;
    uint64_t bytes = 0;
    for (const size_t from : sizes) {
      for (const size_t to : sizes) {
        if (to == 0) continue;  // the doors' business
        char* block = Make(from);
        errno = 4711;
        char* resized = static_cast<char*>(g_heap.Reallocate(block, to, {}));
        EXPECT_EQ(errno, 4711);
        ASSERT_NE(resized, nullptr);
        EXPECT_EQ(reinterpret_cast<uintptr_t>(resized) % 16, 0u);
        EXPECT_TRUE(resized == block || !g_heap.IsLive(block));
        ExpectContent(resized, std::min(from, to));
        ExpectWhole(resized, to);
        std::memset(resized, 0x77, to);
        g_heap.Deallocate(resized, {});
        allocations += 2;
        bytes += from + to;
      }
    }
    EXPECT_EQ(AllCounters(), (Counters{allocations, bytes, allocations, bytes}));
    EXPECT_TRUE(RecordedErrors().empty());
  });
}

TEST(Reallocate, InPlaceAndMoved) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    // Shrinking stays; growing past a neighbour moves.
    char* block = Make(1000);
    char* neighbour = Make(1000);
    EXPECT_EQ(g_heap.Reallocate(block, 900, {}), block);
    ExpectWhole(block, 900);
    char* moved = static_cast<char*>(g_heap.Reallocate(block, 100000, {}));
    ASSERT_NE(moved, block);
    ExpectContent(moved, 900);
    EXPECT_FALSE(g_heap.IsLive(block));
    EXPECT_EQ(ledger::g_live_map.StateOf(reinterpret_cast<uintptr_t>(block)), ledger::BlockState::kFreed);
    ExpectWhole(neighbour, 1000);
    ExpectContent(neighbour, 1000);
    EXPECT_EQ(LiveBytes(), 101000);
  });
}

TEST(Reallocate, AlignedBlocksBecomePlainMallocs) {
  InFreshProcess([] {
    for (const size_t alignment : {16, 32, 64, 4096, 1 << 20}) {
      for (const size_t to : {10, 100, 5000, 200000}) {
        char* block = Make(1000, {.door = Door::kAlignedMalloc, .alignment = alignment});
        char* resized = static_cast<char*>(g_heap.Reallocate(block, to, {}));
        ASSERT_NE(resized, nullptr);
        ExpectContent(resized, std::min<size_t>(1000, to));
        ExpectWhole(resized, to);
        EXPECT_EQ(static_cast<Door>(HeaderOf(resized)->door), Door::kMalloc);
        g_heap.Deallocate(resized, {});
      }
    }
    EXPECT_TRUE(RecordedErrors().empty());
    EXPECT_EQ(LiveBytes(), 0);
  });
}

TEST(Reallocate, KeepsTheSpiedSet) {
  InFreshProcess([] {
    for (const Door door : {Door::kTask, Door::kAlignedMalloc}) {
      char* block = Make(100, {.door = door, .alignment = IsAligned(door) ? size_t{64} : size_t{16}});
      g_heap.SetSpiedSet(block, 0x81);
      block = static_cast<char*>(g_heap.Reallocate(block, 50000, {.door = IsAligned(door) ? Door::kMalloc : door}));
      EXPECT_EQ(g_heap.SpiedSet(block), 0x81);
      ExpectWhole(block, 50000);
      block = static_cast<char*>(g_heap.Reallocate(block, 20, {.door = IsAligned(door) ? Door::kMalloc : door}));
      EXPECT_EQ(g_heap.SpiedSet(block), 0x81);
    }
    EXPECT_TRUE(RecordedErrors().empty());
  });
}

TEST(Reallocate, FailureLeavesTheBlock) {
  InFreshProcess([] {
    for (const Door door : {Door::kMalloc, Door::kAlignedMalloc}) {
      char* block = Make(1000, {.door = door, .alignment = IsAligned(door) ? size_t{64} : size_t{16}});
      g_heap.SetSpiedSet(block, 5);
      const Counters before = AllCounters();
      for (const size_t bytes : {SIZE_MAX, SIZE_MAX - 16, SIZE_MAX - 40, SIZE_MAX / 2, size_t{1} << 46}) {
        errno = 0;
        EXPECT_EQ(g_heap.Reallocate(block, bytes, {}), nullptr) << bytes;
        EXPECT_EQ(errno, ENOMEM);
        ExpectWhole(block, 1000);
        ExpectContent(block, 1000);
        EXPECT_EQ(g_heap.SpiedSet(block), 5);
      }
      EXPECT_EQ(AllCounters(), before);
      g_heap.Deallocate(block, {.door = door});
    }
    EXPECT_TRUE(RecordedErrors().empty());
  });
}

TEST(Reallocate, AnotherDoorIsAMismatch) {
  InFreshProcess([] {
    char* block = Make(100, {.door = Door::kNew});
    block = static_cast<char*>(g_heap.Reallocate(block, 200, {.door = Door::kMalloc}));
    ASSERT_NE(block, nullptr);
    ExpectContent(block, 100);
    const std::vector<RecordedError> errors = RecordedErrors();
    ASSERT_EQ(errors.size(), 1u);
    EXPECT_EQ(errors[0].kind, ErrorKind::kMismatchedFree);
    EXPECT_EQ(errors[0].made, Door::kNew);
    EXPECT_EQ(errors[0].used, Door::kMalloc);
    EXPECT_EQ(errors[0].size, 100u);
    g_heap.Deallocate(block, {.door = Door::kMalloc});
    EXPECT_EQ(RecordedErrors().size(), 1u) << "it is malloc's now";
  });
}

TEST(Reallocate, OfFreedInteriorAndOtherPointersFails) {
  InFreshProcess([] {
    char* block = Make(100);
    char* freed = Make(100000);
    g_heap.Deallocate(freed, {});
    const Counters before = AllCounters();
    alignas(16) char local[64];
    alignas(16) static char global[64];
    g_heap.Deallocate(g_heap.Allocate(1, {}), {});
    for (void* pointer : {static_cast<void*>(freed), static_cast<void*>(block + 16), static_cast<void*>(block + 5),
                          static_cast<void*>(local)}) {
      errno = 0;
      EXPECT_EQ(g_heap.Reallocate(pointer, 200, {}), nullptr);
      EXPECT_EQ(errno, ENOMEM);
    }
    EXPECT_EQ(AllCounters().allocations, before.allocations + 1);
    const std::vector<RecordedError> errors = RecordedErrors();
    ASSERT_GE(errors.size(), 2u);
    EXPECT_EQ(errors[0].kind, ErrorKind::kDoubleFree);
    for (size_t i = 1; i < errors.size(); ++i) EXPECT_EQ(errors[i].kind, ErrorKind::kInvalidFree);
    ExpectWhole(block, 100);
    static_cast<void>(global);
  });
}

TEST(Reallocate, OfAForeignBlockIsPassedOn) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    g_heap.Deallocate(g_heap.Allocate(1, {}), {});
    char* foreign = static_cast<char*>(wrapped::Malloc(100));
    std::memset(foreign, 0x5a, 100);
    char* resized = static_cast<char*>(g_heap.Reallocate(foreign, 100000, {}));
    ASSERT_NE(resized, nullptr);
    for (int i = 0; i < 100; ++i) ASSERT_EQ(resized[i], 0x5a);
    EXPECT_FALSE(g_heap.IsLive(resized));
    EXPECT_EQ(g_ledger.header().foreign_frees.load(), 1u);
    g_heap.Deallocate(resized, {});
    EXPECT_TRUE(RecordedErrors().empty());
  });
}

TEST(Reallocate, AnOverflowIsToldAndTheBlockMovesOn) {
  InFreshProcess([] {
    for (const Door door : {Door::kMalloc, Door::kAlignedMalloc}) {
      char* block = Make(100, {.door = door, .alignment = IsAligned(door) ? size_t{64} : size_t{16}});
      block[100] = 0;
      block = static_cast<char*>(g_heap.Reallocate(block, 3000, {}));
      ASSERT_NE(block, nullptr);
      ExpectContent(block, 100);
      ExpectWhole(block, 3000);
      g_heap.Deallocate(block, {});
    }
    const std::vector<RecordedError> errors = RecordedErrors();
    ASSERT_EQ(errors.size(), 2u);
    for (const RecordedError& error : errors) {
      EXPECT_EQ(error.kind, ErrorKind::kHeapOverflow);
      EXPECT_EQ(error.value, 100u);
      EXPECT_EQ(error.size, 100u);
      EXPECT_EQ(error.count, 1u);
    }
  });
}

TEST(Reallocate, ADestroyedHeaderIsToldAndNothingIsTouched) {
  InFreshProcess([] {
    char* block = Make(100);
    std::memset(block - 16, 'A', 16);
    errno = 0;
    EXPECT_EQ(g_heap.Reallocate(block, 200, {}), nullptr);
    EXPECT_EQ(errno, ENOMEM);
    ExpectContent(block, 100);
    const std::vector<RecordedError> errors = RecordedErrors();
    ASSERT_EQ(errors.size(), 1u);
    EXPECT_EQ(errors[0].kind, ErrorKind::kHeapUnderflow);
    EXPECT_EQ(errors[0].address, reinterpret_cast<uintptr_t>(block));
  });
}

}  // namespace
}  // namespace mallocspy

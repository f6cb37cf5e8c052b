// What the wrapping allocator says of programs that err, and that it bears with them.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "allocator/ledger/live_map.h"
#include "allocator/ledger/module_table.h"
#include "allocator/process.h"
#include "allocator/system/wrapped_malloc.h"
#include "allocator/wrapping_allocator.h"
#include "tests/allocator/fresh_process.h"
#include "tests/allocator/recorded_errors.h"

namespace mallocspy {
namespace {

using ledger::ErrorKind;
using ledger::g_ledger;

char* Make(size_t bytes, const Request& request = {}) { return static_cast<char*>(g_heap.Allocate(bytes, request)); }

// The one error that there is.
RecordedError TheError() {
  const std::vector<RecordedError> errors = RecordedErrors();
  if (errors.size() != 1) ADD_FAILURE() << errors.size() << " errors where one was expected";
  return errors.empty() ? RecordedError{} : errors[0];
}

TEST(Misuse, DoubleFree) {
  InFreshProcess([] {
    char* block = Make(100);
    g_heap.Deallocate(block, {});
    const Counters before = AllCounters();
    g_heap.Deallocate(block, {});
    g_heap.Deallocate(block, {});
    const RecordedError error = TheError();
    EXPECT_EQ(error.kind, ErrorKind::kDoubleFree);
    EXPECT_EQ(error.address, reinterpret_cast<uintptr_t>(block));
    EXPECT_EQ(error.used, Door::kMalloc);
    EXPECT_EQ(error.count, 2u);
    EXPECT_EQ(AllCounters(), before);
    // The wrapped malloc never heard of it: its memory is in order.
    std::vector<char*> blocks;
    for (int i = 0; i < 100; ++i) blocks.push_back(Make(100));
    for (char* each : blocks) g_heap.Deallocate(each, {});
  });
}

TEST(Misuse, DoubleFreeOfAlignedAndLargeBlocks) {
  InFreshProcess([] {
    char* aligned = Make(100, {.door = Door::kAlignedMalloc, .alignment = 4096});
    char* large = Make(10 << 20);  // its pages are gone when it is freed
    for (char* block : {aligned, large}) {
      g_heap.Deallocate(block, {});
      g_heap.Deallocate(block, {});
    }
    const std::vector<RecordedError> errors = RecordedErrors();
    ASSERT_FALSE(errors.empty());
    for (const RecordedError& error : errors) EXPECT_EQ(error.kind, ErrorKind::kDoubleFree);
  });
}

TEST(Misuse, OneOfTwoThreadsThatFreeABlockErrs) {
  InFreshProcess([] {
    constexpr int kBlocks = 2000;
    std::vector<char*> blocks;
    for (int i = 0; i < kBlocks; ++i) blocks.push_back(Make(static_cast<size_t>(i % 100)));
    std::atomic<int> ready{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t) {
      threads.emplace_back([&] {
        ++ready;
        while (ready != 2) {
        }
        for (char* block : blocks) g_heap.Deallocate(block, {});
      });
    }
    for (std::thread& thread : threads) thread.join();
    uint64_t errors = 0;
    for (const RecordedError& error : RecordedErrors()) {
      EXPECT_EQ(error.kind, ErrorKind::kDoubleFree);
      errors += error.count;
    }
    EXPECT_EQ(errors, uint64_t{kBlocks});
    EXPECT_EQ(AllCounters().frees, uint64_t{kBlocks});
    EXPECT_EQ(LiveBytes(), 0);
  });
}

TEST(Misuse, InteriorPointersNameTheirBlock) {
  InFreshProcess([] {
    char* block = Make(1000, {.door = Door::kNew});
    for (const size_t offset : {1, 5, 16, 32, 500, 999}) g_heap.Deallocate(block + offset, {});
    for (const RecordedError& error : RecordedErrors()) {
      EXPECT_EQ(error.kind, ErrorKind::kInvalidFree);
      EXPECT_EQ(error.size, 1000u);
      EXPECT_EQ(error.made, Door::kNew);
    }
    EXPECT_EQ(RecordedErrors()[0].value, 1u);
    EXPECT_TRUE(g_heap.IsLive(block));
    g_heap.Deallocate(block, {.door = Door::kNew});
    EXPECT_EQ(AllCounters(), (Counters{1, 1000, 1, 1000}));
  });
}

TEST(Misuse, InteriorPointerOfAHugeBlock) {
  InFreshProcess([] {
    const size_t bytes = size_t{200} << 20;
    char* block = Make(bytes);
    ASSERT_NE(block, nullptr);
    g_heap.Deallocate(block + bytes - 16, {});
    const RecordedError error = TheError();
    EXPECT_EQ(error.kind, ErrorKind::kInvalidFree);
    EXPECT_EQ(error.value, bytes - 16);
    g_heap.Deallocate(block, {});
  });
}

TEST(Misuse, StackGlobalCodeAndWildPointers) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    g_heap.Deallocate(Make(1), {});
    ledger::g_modules.Refresh();
    alignas(16) char local[64];
    alignas(16) static char global[64];
    alignas(16) static const char constant[64] = "x";
    void* unmapped = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void* zeros = mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(unmapped, 4096);
    uint64_t expected = 0;
    for (void* pointer : std::initializer_list<void*>{
             local, global, const_cast<char*>(constant), reinterpret_cast<void*>(&std::memcpy),
             reinterpret_cast<void*>(1), reinterpret_cast<void*>(16), reinterpret_cast<void*>(0x1000), unmapped,
             static_cast<char*>(zeros) + 4096, reinterpret_cast<void*>(0x800000000000),
             reinterpret_cast<void*>(0xdeadbeefdeadbee0), reinterpret_cast<void*>(0xfffffffffffffff0)}) {
      g_heap.Deallocate(pointer, {});
      ++expected;
      uint64_t told = 0;
      for (const RecordedError& error : RecordedErrors()) {
        EXPECT_EQ(error.kind, ErrorKind::kInvalidFree);
        told += error.count;
      }
      ASSERT_EQ(told, expected) << pointer;
    }
    EXPECT_EQ(g_ledger.header().foreign_frees.load(), 0u);
  });
}

TEST(Misuse, ABlockOfTheWrappedMallocIsNoMisuse) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    g_heap.Deallocate(Make(1), {});
    for (const size_t bytes : {1, 100, 5000, 200000, 10 << 20}) g_heap.Deallocate(wrapped::Malloc(bytes), {});
    g_heap.Deallocate(wrapped::Memalign(4096, 100), {});
    g_heap.Deallocate(wrapped::Memalign(4096, 1 << 20), {});
    EXPECT_TRUE(RecordedErrors().empty());
    EXPECT_EQ(g_ledger.header().foreign_frees.load(), 7u);
  });
}

TEST(Misuse, TheWrongDelete) {
  InFreshProcess([] {
    const auto family = [](Door door) { return door == Door::kAlignedMalloc ? Door::kMalloc : door; };
    uint64_t mismatches = 0;
    for (uint32_t made = 1; made < kDoors; ++made) {
      for (uint32_t used = 0; used < kDoors; ++used) {
        const Door made_door = static_cast<Door>(made);
        const Door used_door = static_cast<Door>(used);
        char* block = Make(27, {.door = made_door, .alignment = IsAligned(made_door) ? size_t{64} : size_t{16}});
        const size_t before = RecordedErrors().size();
        g_heap.Deallocate(block, {.door = used_door});
        EXPECT_FALSE(g_heap.IsLive(block)) << "it is freed all the same";
        const bool matches = used_door == Door::kNone || family(made_door) == family(used_door);
        const std::vector<RecordedError> errors = RecordedErrors();
        ASSERT_EQ(errors.size(), before + (matches ? 0 : 1)) << made << " " << used;
        if (matches) continue;
        ++mismatches;
        EXPECT_EQ(errors.back().kind, ErrorKind::kMismatchedFree);
        EXPECT_EQ(errors.back().made, made_door);
        EXPECT_EQ(errors.back().used, used_door);
        EXPECT_EQ(errors.back().size, 27u);
      }
    }
    EXPECT_GT(mismatches, 30u);
    EXPECT_EQ(LiveBytes(), 0);
  });
}

TEST(Misuse, WritingBehindTheBlock) {
  InFreshProcess([] {
    for (size_t bytes = 0; bytes < 40; ++bytes) {
      char* block = Make(bytes);
      block[bytes] = '\0';
      g_heap.Deallocate(block, {});
      const std::vector<RecordedError> errors = RecordedErrors();
      uint64_t told = 0;
      for (const RecordedError& error : errors) {
        EXPECT_EQ(error.kind, ErrorKind::kHeapOverflow);
        told += error.count;
      }
      ASSERT_EQ(told, bytes + 1);
    }
    char* block = Make(100, {.door = Door::kAlignedNew, .alignment = 256});
    block[103] ^= 1;
    g_heap.Deallocate(block, {.door = Door::kAlignedNew});
    const RecordedError error = RecordedErrors().back();
    EXPECT_EQ(error.value, 103u);
    EXPECT_EQ(error.size, 100u);
    EXPECT_EQ(error.made, Door::kAlignedNew);
    EXPECT_EQ(LiveBytes(), 0);
  });
}

TEST(Misuse, WritingInFrontOfTheBlock) {
  InFreshProcess([] {
    char* block = Make(100);
    char* neighbour = Make(100);
    block[-1] ^= 0x40;
    g_heap.Deallocate(block, {});
    const RecordedError error = TheError();
    EXPECT_EQ(error.kind, ErrorKind::kHeapUnderflow);
    EXPECT_EQ(error.address, reinterpret_cast<uintptr_t>(block));
    EXPECT_EQ(error.made, Door::kNone) << "what the header says cannot be believed";
    EXPECT_EQ(AllCounters().frees, 1u);
    EXPECT_FALSE(g_heap.IsLive(block));
    g_heap.Deallocate(neighbour, {});
    g_heap.Deallocate(block, {});
    EXPECT_EQ(RecordedErrors().back().kind, ErrorKind::kDoubleFree);
  });
}

TEST(Misuse, WithoutGuardsOverflowsGoUnseen) {
  InFreshProcess([] {
    SetOptions("guard=0");
    char* block = Make(100);
    block[100] = 1;  // inside of what the wrapped malloc rounds up to
    g_heap.Deallocate(block, {});
    EXPECT_TRUE(RecordedErrors().empty());
  });
}

TEST(Misuse, SizedAndAlignedClaims) {
  InFreshProcess([] {
    constexpr size_t kNoSize = static_cast<size_t>(-1);
    char* block = Make(100, {.door = Door::kNew});
    char* aligned = Make(100, {.door = Door::kAlignedNew, .alignment = 64});
    g_heap.CheckClaims(block, 100, 0, Door::kNew, nullptr);
    g_heap.CheckClaims(block, kNoSize, 0, Door::kNew, nullptr);
    g_heap.CheckClaims(aligned, 100, 64, Door::kAlignedNew, nullptr);
    g_heap.CheckClaims(aligned, kNoSize, 64, Door::kAlignedNew, nullptr);
    g_heap.CheckClaims(block, 99, 0, Door::kMalloc, nullptr);  // the mismatch is told when it is freed
    g_heap.CheckClaims(nullptr, 99, 32, Door::kNew, nullptr);
    g_heap.CheckClaims(block + 16, 99, 32, Door::kNew, nullptr);
    EXPECT_TRUE(RecordedErrors().empty());

    g_heap.CheckClaims(block, 99, 0, Door::kNew, nullptr);
    const RecordedError size = TheError();
    EXPECT_EQ(size.kind, ErrorKind::kSizedDeleteMismatch);
    EXPECT_EQ(size.size, 100u);
    EXPECT_EQ(size.value, 99u);
    g_heap.CheckClaims(aligned, 100, 32, Door::kAlignedNew, nullptr);
    const RecordedError alignment = RecordedErrors().back();
    EXPECT_EQ(alignment.kind, ErrorKind::kBadAlignment);
    EXPECT_EQ(alignment.value, 32u);
    EXPECT_EQ(alignment.made, Door::kAlignedNew);

    // What a spy made larger is not judged by the program's size.
    g_heap.SetSpiedSet(block, 1);
    g_heap.CheckClaims(block, 98, 0, Door::kNew, nullptr);
    EXPECT_EQ(RecordedErrors().size(), 2u);
    EXPECT_TRUE(g_heap.IsLive(block)) << "claims free nothing";
  });
}

TEST(Misuse, SmallAlignmentsAreAllTheSame) {
  InFreshProcess([] {
    char* block = Make(100, {.door = Door::kAlignedNew, .alignment = kMinAlignment});
    for (const size_t alignment : {1, 2, 4, 8, 16}) g_heap.CheckClaims(block, 100, alignment, Door::kAlignedNew, nullptr);
    EXPECT_TRUE(RecordedErrors().empty());
  });
}

TEST(Misuse, ASpysBreachIsRecordedWithItsWords) {
  InFreshProcess([] {
    char* block = Make(100);
    errno = 4711;
    g_heap.ReportContractBreach("PreAlloc returned fewer bytes than asked", block, 7, Door::kTask);
    EXPECT_EQ(errno, 4711);
    const RecordedError error = TheError();
    EXPECT_EQ(error.kind, ErrorKind::kSpyContract);
    EXPECT_EQ(error.detail, "PreAlloc returned fewer bytes than asked");
    EXPECT_EQ(error.size, 7u);
    EXPECT_EQ(error.used, Door::kTask);
  });
}

}  // namespace
}  // namespace mallocspy

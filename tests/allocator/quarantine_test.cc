#include "allocator/quarantine.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <vector>

#include "allocator/heap_sweep.h"
#include "allocator/ledger/error_table.h"
#include "allocator/wrapping_allocator.h"
#include "tests/allocator/fresh_process.h"
#include "tests/allocator/recorded_errors.h"

namespace mallocspy {
namespace {

using ledger::ErrorKind;

// A block as it was freed.
class Freed {
 public:
  explicit Freed(size_t size = 300) {
    BlockHeader* header = reinterpret_cast<BlockHeader*>(memory_.data());
    WriteHeader(header, 1, 1, size, TraitsOf(Door::kMalloc, true));
    block_ = header + 1;
    WriteGuard(block_, size);
    std::memset(block_, kFreedByte, size);
  }
  Freed(const Freed&) = delete;
  Freed& operator=(const Freed&) = delete;
  Quarantine::Kept kept() { return {block_, memory_.data(), *HeaderOf(block_), 3, 1}; }
  char* bytes() { return static_cast<char*>(block_); }
  uintptr_t address() const { return reinterpret_cast<uintptr_t>(block_); }

 private:
  alignas(16) std::array<unsigned char, 1024> memory_ = {};
  void* block_;
};

TEST(Quarantine, KeepsTheYoungestWithinItsBytes) {
  static constinit Quarantine quarantine;
  ASSERT_TRUE(quarantine.Start(4096));
  std::array<Freed, 20> placed;
  std::vector<const void*> left;
  for (int i = 0; i < 20; ++i) {
    Freed& freed = placed[static_cast<size_t>(i)];
    ASSERT_TRUE(quarantine.Keep(freed.kept()));
    for (Quarantine::Kept kept = quarantine.TakeSurplus(); kept.block != nullptr; kept = quarantine.TakeSurplus()) left.push_back(kept.block);
  }
  ASSERT_FALSE(left.empty());
  ASSERT_LT(left.size(), 20u);
  for (size_t i = 0; i < left.size(); ++i) EXPECT_EQ(left[i], placed[i].bytes()) << "the oldest leave first";
  EXPECT_EQ(quarantine.Find(placed[0].address()).block, nullptr);
  EXPECT_EQ(quarantine.Find(placed[19].address()).block, placed[19].bytes());
  EXPECT_EQ(quarantine.Find(placed[19].address() + 299).block, placed[19].bytes());
  EXPECT_EQ(quarantine.Find(placed[19].address() + 299).freed, 3u);
  EXPECT_EQ(quarantine.Find(placed[19].address() + 300).block, nullptr);
  size_t kept = 0;
  quarantine.ForEach([](const Quarantine::Kept&, void* count) { ++*static_cast<size_t*>(count); }, &kept);
  EXPECT_EQ(kept + left.size(), 20u);
}

TEST(Quarantine, TakesNoBlockThatIsALargePartOfIt) {
  static constinit Quarantine quarantine;
  ASSERT_TRUE(quarantine.Start(1024));
  Freed large(500);
  EXPECT_FALSE(quarantine.Keep(large.kept()));
  Freed small(50);
  EXPECT_TRUE(quarantine.Keep(small.kept()));
}

TEST(Quarantine, OfNothingIsNone) {
  static constinit Quarantine quarantine;
  EXPECT_FALSE(quarantine.Start(0));
}

TEST(IsWritten, EveryByteOfHeaderPayloadAndGuard) {
  for (const size_t size : {0, 1, 7, 8, 9, 100}) {
    Freed freed(size);
    int64_t offset = 0;
    EXPECT_FALSE(IsWritten(freed.kept(), &offset)) << size;
    const Quarantine::Kept kept = freed.kept();
    const auto end = static_cast<int64_t>(size + GuardBytes(size));
    for (int64_t at = -static_cast<int64_t>(sizeof(BlockHeader)); at < end; ++at) {
      freed.bytes()[at] = static_cast<char>(freed.bytes()[at] + 1);
      ASSERT_TRUE(IsWritten(kept, &offset)) << size << " at " << at;
      EXPECT_EQ(offset, size == 0 && at == 0 ? 1 : at) << size;
      freed.bytes()[at] = static_cast<char>(freed.bytes()[at] - 1);
    }
    EXPECT_FALSE(IsWritten(kept, &offset)) << size;
  }
}

TEST(Quarantine, OfTheProcessKeepsWhatIsFreed) {
  InFreshProcess([] {
    SetOptions("quarantine_mb=1");
    char* block = static_cast<char*>(g_heap.Allocate(100, {}));
    g_heap.Deallocate(block, {});
    EXPECT_EQ(block[0], static_cast<char>(kFreedByte));
    EXPECT_EQ(g_quarantine.Find(reinterpret_cast<uintptr_t>(block)).block, block);
    block[99] = 0;
    EXPECT_TRUE(RecordedErrors().empty());
    for (int i = 0; i < 5000; ++i) {
      char* other = static_cast<char*>(g_heap.Allocate(300, {}));
      if (RecordedErrors().empty()) {
        EXPECT_NE(other, block);
      }
      g_heap.Deallocate(other, {});
    }
    const std::vector<RecordedError> errors = RecordedErrors();
    ASSERT_EQ(errors.size(), 1u);
    EXPECT_EQ(errors[0].kind, ErrorKind::kUseAfterFreeWrite);
    EXPECT_EQ(errors[0].size, 100u);
    EXPECT_EQ(errors[0].value, 99u);
    EXPECT_EQ(errors[0].count, 1u);
  });
}

TEST(Quarantine, AForkedChildTellsOfItsOwnFreesOnly) {
  InFreshProcess([] {
    SetOptions("quarantine_mb=1");
    char* block = static_cast<char*>(g_heap.Allocate(100, {}));
    char* other = static_cast<char*>(g_heap.Allocate(100, {}));
    g_heap.Deallocate(block, {});
    block[0] = 0;
    EXPECT_TRUE(EndsWell(ForkWith([&] {
      g_heap.Deallocate(other, {});
      EXPECT_EQ(SweepHeap(nullptr), MALLOCSPY_HEAP_OK);
      other[7] = 0;
      EXPECT_EQ(SweepHeap(nullptr), MALLOCSPY_HEAP_WRITTEN_AFTER_FREE);
      ASSERT_EQ(RecordedErrors().size(), 1u);
      EXPECT_EQ(RecordedErrors()[0].value, 7u);
    })));
    EXPECT_EQ(SweepHeap(nullptr), MALLOCSPY_HEAP_WRITTEN_AFTER_FREE);
  });
}

TEST(Fill, NewMemoryButNotZeroed) {
  InFreshProcess([] {
    SetOptions("fill=1");
    char* made = static_cast<char*>(g_heap.Allocate(1000, {}));
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(made[i], static_cast<char>(kNewByte));
    made[0] = 1;
    char* grown = static_cast<char*>(g_heap.Reallocate(made, 3000, {}));
    EXPECT_EQ(grown[0], 1);
    EXPECT_EQ(grown[1], static_cast<char>(kNewByte));
    EXPECT_EQ(grown[2999], static_cast<char>(kNewByte));
    char* zeroed = static_cast<char*>(g_heap.Allocate(1000, {.zeroed = true}));
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(zeroed[i], 0);
    g_heap.Deallocate(zeroed, {});
    g_heap.Deallocate(grown, {});
  });
}

TEST(Fill, FreedMemory) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    SetOptions("fill=1");
    char* block = static_cast<char*>(g_heap.Allocate(1000, {}));
    std::memset(block, 1, 1000);
    g_heap.Deallocate(block, {});
    EXPECT_EQ(block[500], static_cast<char>(kFreedByte));
  });
}

}  // namespace
}  // namespace mallocspy

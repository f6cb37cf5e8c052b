#include "allocator/entrance.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "allocator/ledger/ledger.h"
#include "spy/malloc_spy.h"
#include "tests/allocator/fresh_process.h"
#include "tests/allocator/recorded_errors.h"

namespace mallocspy {
namespace {

// As if a door had been called from nowhere.
constexpr DoorFrame kNowhere = {};
constexpr const DoorFrame* kCaller = &kNowhere;

// Prepends 16 bytes of its own and counts what it sees.
class FrontSpy : public IMallocSpy {
 public:
  HRESULT QueryInterface(REFIID iid, void** out) override {
    *out = IsEqualIID(iid, IID_IMallocSpy) ? this : nullptr;
    return *out != nullptr ? S_OK : E_NOINTERFACE;
  }
  ULONG AddRef() override { return 2; }
  ULONG Release() override { return 1; }
  SIZE_T PreAlloc(SIZE_T bytes) override { return ++allocations, bytes + 16; }
  void* PostAlloc(void* block) override { return block == nullptr ? nullptr : static_cast<char*>(block) + 16; }
  void* PreFree(void* pointer, BOOL spied) override { return ++frees, Back(pointer, spied); }
  void PostFree(BOOL) override {}
  SIZE_T PreRealloc(void* pointer, SIZE_T bytes, void** block, BOOL spied) override {
    ++reallocations;
    *block = pointer == nullptr ? nullptr : Back(pointer, spied);
    return bytes + 16;
  }
  void* PostRealloc(void* block, BOOL) override { return block == nullptr ? nullptr : static_cast<char*>(block) + 16; }
  void* PreGetSize(void* pointer, BOOL spied) override { return Back(pointer, spied); }
  SIZE_T PostGetSize(SIZE_T bytes, BOOL spied) override { return spied ? bytes - 16 : bytes; }
  void* PreDidAlloc(void* pointer, BOOL spied) override { return Back(pointer, spied); }
  int PostDidAlloc(void*, BOOL, int result) override { return result; }
  void PreHeapMinimize() override { ++minimizations; }
  void PostHeapMinimize() override {}

  int allocations = 0;
  int frees = 0;
  int reallocations = 0;
  int minimizations = 0;

 private:
  static void* Back(void* pointer, BOOL spied) { return spied ? static_cast<char*>(pointer) - 16 : pointer; }
};

FrontSpy spy;

TEST(Entrance, WithoutSpiesItIsTheHeap) {
  InFreshProcess([] {
    void* block = entrance::Allocate(100, {}, kCaller);
    EXPECT_TRUE(g_heap.IsLive(block));
    EXPECT_EQ(entrance::SizeOf(block, Door::kMalloc, kCaller), 100u);
    EXPECT_EQ(entrance::DidAlloc(block, Door::kMalloc, kCaller), 1);
    EXPECT_EQ(entrance::DidAlloc(nullptr, Door::kMalloc, kCaller), -1);
    block = entrance::Reallocate(block, 5000, Door::kMalloc, kCaller);
    EXPECT_EQ(entrance::SizeOf(block, Door::kMalloc, kCaller), 5000u);
    EXPECT_EQ(entrance::Reallocate(block, 0, Door::kMalloc, kCaller), nullptr);
    EXPECT_FALSE(g_heap.IsLive(block));
    block = entrance::Reallocate(nullptr, 10, Door::kMalloc, kCaller);
    EXPECT_TRUE(g_heap.IsLive(block));
    entrance::Deallocate(block, Door::kMalloc, kCaller);
    entrance::Deallocate(nullptr, Door::kMalloc, kCaller);
    EXPECT_EQ(g_heap.Allocate(0, {}) == nullptr, false);
  });
}

TEST(Entrance, ASpysBlocksLieBehindItsFrontAndAreWhole) {
  InFreshProcess([] {
    ASSERT_EQ(mallocspy_add_spy(&spy, MALLOCSPY_SEE_MALLOC), S_OK);
    char* block = static_cast<char*>(entrance::Allocate(100, {}, kCaller));
    ASSERT_NE(block, nullptr);
    EXPECT_FALSE(g_heap.IsLive(block));
    EXPECT_TRUE(g_heap.IsLive(block - 16));
    EXPECT_EQ(g_heap.SizeOf(block - 16), 116u);
    EXPECT_NE(g_heap.SpiedSet(block - 16), 0);
    EXPECT_EQ(entrance::SizeOf(block, Door::kMalloc, kCaller), 100u);
    EXPECT_EQ(entrance::DidAlloc(block, Door::kMalloc, kCaller), 1);
    std::memset(block, 0x5a, 100);
    block = static_cast<char*>(entrance::Reallocate(block, 100000, Door::kMalloc, kCaller));
    ASSERT_NE(block, nullptr);
    for (int i = 0; i < 100; ++i) ASSERT_EQ(block[i], 0x5a);
    EXPECT_NE(g_heap.SpiedSet(block - 16), 0);
    entrance::Deallocate(block, Door::kMalloc, kCaller);
    entrance::Minimize(Door::kMalloc, kCaller);
    EXPECT_EQ(spy.allocations, 1);
    EXPECT_EQ(spy.reallocations, 1);
    EXPECT_EQ(spy.frees, 1);
    EXPECT_EQ(spy.minimizations, 1);
    EXPECT_EQ(AllCounters(), (Counters{2, 116 + 100016, 2, 116 + 100016}));
    EXPECT_TRUE(RecordedErrors().empty());
    EXPECT_EQ(mallocspy_remove_spy(&spy), S_OK);
  });
}

TEST(Entrance, AnOverflowOfASpiedBlockIsFound) {
  InFreshProcess([] {
    ASSERT_EQ(mallocspy_add_spy(&spy, MALLOCSPY_SEE_MALLOC), S_OK);
    char* block = static_cast<char*>(entrance::Allocate(100, {}, kCaller));
    block[100] = 0;
    entrance::Deallocate(block, Door::kMalloc, kCaller);
    ASSERT_EQ(RecordedErrors().size(), 1u);
    EXPECT_EQ(RecordedErrors()[0].kind, ledger::ErrorKind::kHeapOverflow);
  });
}

TEST(Entrance, ASpyMayLeaveWhileItsBlocksLive) {
  InFreshProcess([] {
    ASSERT_EQ(mallocspy_add_spy(&spy, MALLOCSPY_SEE_MALLOC), S_OK);
    void* block = entrance::Allocate(100, {}, kCaller);
    EXPECT_EQ(mallocspy_remove_spy(&spy), E_ACCESSDENIED);
    void* later = entrance::Allocate(100, {}, kCaller);
    EXPECT_EQ(spy.allocations, 1);
    entrance::Deallocate(later, Door::kMalloc, kCaller);
    entrance::Deallocate(block, Door::kMalloc, kCaller);
    EXPECT_EQ(spy.frees, 1);
    EXPECT_EQ(mallocspy_remove_spy(&spy), CO_E_OBJNOTREG);
    EXPECT_TRUE(RecordedErrors().empty());
  });
}

}  // namespace
}  // namespace mallocspy

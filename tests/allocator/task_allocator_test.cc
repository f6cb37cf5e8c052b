// The task allocator: the contract's clauses 2.1 to 2.6.
#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <vector>

#include "allocator/ledger/ledger.h"
#include "allocator/wrapping_allocator.h"
#include "spy/malloc_spy.h"
#include "tests/allocator/fresh_process.h"
#include "tests/allocator/recorded_errors.h"

namespace mallocspy {
namespace {

IMalloc* TaskAllocator() {
  LPMALLOC allocator = nullptr;
  EXPECT_EQ(CoGetMalloc(1, &allocator), S_OK);
  return allocator;
}

TEST(TaskAllocator, Contract_2_1_OneObjectForContextOne) {
  LPMALLOC first = nullptr;
  LPMALLOC second = nullptr;
  EXPECT_EQ(CoGetMalloc(1, &first), S_OK);
  EXPECT_EQ(CoGetMalloc(1, &second), S_OK);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first, second);
  for (const DWORD context : {0u, 2u, 3u, 0xffffffffu}) {
    LPMALLOC other = first;
    EXPECT_EQ(CoGetMalloc(context, &other), E_INVALIDARG);
    EXPECT_EQ(other, nullptr);
  }
  EXPECT_EQ(CoGetMalloc(1, nullptr), E_INVALIDARG);
  EXPECT_EQ(CoGetMalloc(2, nullptr), E_INVALIDARG);
}

TEST(TaskAllocator, Contract_2_2_IsIUnknownAndIMallocForEver) {
  IMalloc* allocator = TaskAllocator();
  void* out = nullptr;
  EXPECT_EQ(allocator->QueryInterface(IID_IUnknown, &out), S_OK);
  EXPECT_EQ(out, allocator);
  EXPECT_EQ(allocator->QueryInterface(IID_IMalloc, &out), S_OK);
  EXPECT_EQ(out, allocator);
  EXPECT_EQ(allocator->QueryInterface(IID_IMallocSpy, &out), E_NOINTERFACE);
  EXPECT_EQ(out, nullptr);
  EXPECT_EQ(allocator->QueryInterface(IID_IMalloc, nullptr), E_POINTER);
  for (int i = 0; i < 10; ++i) EXPECT_GT(allocator->AddRef(), 0u);
  for (int i = 0; i < 100; ++i) EXPECT_GT(allocator->Release(), 0u);
  EXPECT_EQ(TaskAllocator(), allocator);
}

TEST(TaskAllocator, Contract_2_3_EmptyBlocksAndNull) {
  InFreshProcess([] {
    IMalloc* allocator = TaskAllocator();
    std::set<void*> blocks;
    for (int i = 0; i < 100; ++i) blocks.insert(allocator->Alloc(0));
    EXPECT_EQ(blocks.size(), 100u);
    EXPECT_EQ(blocks.count(nullptr), 0u);
    for (void* block : blocks) allocator->Free(block);
    allocator->Free(nullptr);
    EXPECT_EQ(allocator->GetSize(nullptr), static_cast<SIZE_T>(-1));
    EXPECT_EQ(allocator->DidAlloc(nullptr), -1);
    EXPECT_EQ(AllCounters().allocations, 100u);
    EXPECT_EQ(AllCounters().frees, 100u);
  });
}

TEST(TaskAllocator, Contract_2_4_ExactSizesAndWhoseBlocks) {
  InFreshProcess([] {
    IMalloc* allocator = TaskAllocator();
    for (const SIZE_T bytes : {0, 1, 27, 100, 5000, 1 << 20}) {
      char* block = static_cast<char*>(allocator->Alloc(bytes));
      EXPECT_EQ(allocator->GetSize(block), bytes);
      EXPECT_EQ(allocator->DidAlloc(block), 1);
      EXPECT_EQ(allocator->DidAlloc(block + 16), 0);
      EXPECT_EQ(allocator->DidAlloc(block + 1), 0);
      allocator->Free(block);
      EXPECT_EQ(allocator->DidAlloc(block), 0);
      EXPECT_EQ(allocator->GetSize(block), static_cast<SIZE_T>(-1));
    }
    static int global;
    int local;
    for (void* pointer : {static_cast<void*>(&global), static_cast<void*>(&local), reinterpret_cast<void*>(1),
                          reinterpret_cast<void*>(&std::memcpy), reinterpret_cast<void*>(0x7ffffffffff0),
                          reinterpret_cast<void*>(0xfffffffffffffff0)}) {
      EXPECT_EQ(allocator->DidAlloc(pointer), 0);
      EXPECT_EQ(allocator->GetSize(pointer), static_cast<SIZE_T>(-1));
    }
    EXPECT_TRUE(RecordedErrors().empty()) << "asking is no error";
  });
}

TEST(TaskAllocator, Contract_2_5_Realloc) {
  InFreshProcess([] {
    IMalloc* allocator = TaskAllocator();
    char* block = static_cast<char*>(allocator->Realloc(nullptr, 27));
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(allocator->GetSize(block), 27u);
    std::memset(block, 0x5a, 27);
    block = static_cast<char*>(allocator->Realloc(block, 100000));
    EXPECT_EQ(allocator->GetSize(block), 100000u);
    for (int i = 0; i < 27; ++i) ASSERT_EQ(block[i], 0x5a);
    EXPECT_EQ(allocator->Realloc(block, SIZE_MAX), nullptr);
    EXPECT_EQ(allocator->Realloc(block, SIZE_MAX / 4), nullptr);
    EXPECT_EQ(allocator->GetSize(block), 100000u) << "a failure leaves it";
    for (int i = 0; i < 27; ++i) ASSERT_EQ(block[i], 0x5a);
    EXPECT_EQ(allocator->Realloc(block, 0), nullptr);
    EXPECT_EQ(allocator->DidAlloc(block), 0);
    void* empty = allocator->Realloc(nullptr, 0);
    EXPECT_NE(empty, nullptr) << "it allocates, and an empty block is a block";
    allocator->Free(empty);
    EXPECT_EQ(LiveBytes(), 0);
    EXPECT_EQ(AllCounters().allocations, AllCounters().frees);
  });
}

TEST(TaskAllocator, Contract_2_6_TheFunctionsAreTheSame) {
  InFreshProcess([] {
    IMalloc* allocator = TaskAllocator();
    void* block = CoTaskMemAlloc(27);
    EXPECT_EQ(allocator->GetSize(block), 27u);
    EXPECT_EQ(static_cast<Door>(HeaderOf(block)->door), Door::kTask);
    block = allocator->Realloc(block, 50);
    block = CoTaskMemRealloc(block, 60);
    EXPECT_EQ(allocator->GetSize(block), 60u);
    allocator->Free(block);
    block = allocator->Alloc(10);
    EXPECT_EQ(static_cast<Door>(HeaderOf(block)->door), Door::kTask);
    CoTaskMemFree(block);
    EXPECT_EQ(allocator->DidAlloc(block), 0);
    CoTaskMemFree(nullptr);
    allocator->HeapMinimize();
    EXPECT_TRUE(RecordedErrors().empty());
    EXPECT_EQ(CoTaskMemAlloc(SIZE_MAX), nullptr);
  });
}

TEST(TaskAllocator, AnotherDoorsFreeIsAMismatch) {
  InFreshProcess([] {
    g_heap.Deallocate(CoTaskMemAlloc(27), {.door = Door::kMalloc});
    CoTaskMemFree(g_heap.Allocate(27, {.door = Door::kNew}));
    const std::vector<RecordedError> errors = RecordedErrors();
    ASSERT_EQ(errors.size(), 2u);
    EXPECT_EQ(errors[0].made, Door::kTask);
    EXPECT_EQ(errors[0].used, Door::kMalloc);
    EXPECT_EQ(errors[1].made, Door::kNew);
    EXPECT_EQ(errors[1].used, Door::kTask);
  });
}

}  // namespace
}  // namespace mallocspy

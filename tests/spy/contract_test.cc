// The contract, clause by clause, through the library itself: this program is linked with it, so task allocator and doors
// are the real ones. What needs another process is in contract_process_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "spy/malloc_spy.h"
#include "tests/spy/recording_spy.h"
#include "tests/spy/windows_style_spy.h"

extern "C" MALLOCSPY_API const char* mallocspy_default_options(void) { return "report=none"; }

namespace mallocspy {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

IMalloc* TaskAllocator() {
  IMalloc* task = nullptr;
  EXPECT_EQ(S_OK, CoGetMalloc(1, &task));
  return task;
}

// ---- 1. Types and values ----

TEST(Contract, Contract_1_1_TypesAndValues) {
  static_assert(std::is_same_v<HRESULT, int32_t> && std::is_same_v<ULONG, uint32_t> && std::is_same_v<DWORD, uint32_t>);
  static_assert(std::is_same_v<BOOL, int32_t> && std::is_same_v<SIZE_T, size_t>);
  EXPECT_TRUE(SUCCEEDED(S_OK));
  for (const HRESULT failure :
       {E_NOINTERFACE, E_POINTER, E_ACCESSDENIED, E_OUTOFMEMORY, E_INVALIDARG, CO_E_OBJNOTREG, CO_E_OBJISREG}) {
    EXPECT_TRUE(FAILED(failure));
  }
}

TEST(Contract, Contract_1_2_InterfaceIds) {
  const IID expected = {0x00000002, 0, 0, {0xC0, 0, 0, 0, 0, 0, 0, 0x46}};
  void* out = nullptr;
  EXPECT_EQ(S_OK, TaskAllocator()->QueryInterface(expected, &out));
}

TEST(Contract, Contract_1_3_OrderOfMethods) {
  IMalloc* task = TaskAllocator();
  void** table = *reinterpret_cast<void***>(task);
  void* block = reinterpret_cast<void* (*)(IMalloc*, SIZE_T)>(table[3])(task, 27);
  EXPECT_EQ(27u, reinterpret_cast<SIZE_T (*)(IMalloc*, void*)>(table[6])(task, block));
  EXPECT_EQ(1, reinterpret_cast<int (*)(IMalloc*, void*)>(table[7])(task, block));
  block = reinterpret_cast<void* (*)(IMalloc*, void*, SIZE_T)>(table[4])(task, block, 30);
  EXPECT_EQ(30u, task->GetSize(block));
  reinterpret_cast<void (*)(IMalloc*, void*)>(table[5])(task, block);
  EXPECT_EQ(0, task->DidAlloc(block));
  reinterpret_cast<void (*)(IMalloc*)>(table[8])(task);
}

TEST(Contract, Contract_1_4_ParametersReachTheSpyAsTheyAre) {
  RecordingSpy spy;
  ASSERT_EQ(S_OK, CoRegisterMallocSpy(&spy));
  void* block = CoTaskMemAlloc(SIZE_T{1} << 33 | 27);  // more than 32 bits
  EXPECT_THAT(spy.TakeLog(), Contains("PreAlloc 8589934619"));
  CoTaskMemFree(block);
  EXPECT_EQ(S_OK, CoRevokeMallocSpy());
}

TEST(Contract, Contract_1_5_ASpyWrittenForWindows) {
  IMallocSpy* spy = CreateLeakSpy();
  ASSERT_EQ(S_OK, CoRegisterMallocSpy(spy));
  spy->Release();
  void* block = CoTaskMemAlloc(27);
  EXPECT_EQ(27u, TaskAllocator()->GetSize(block));
  EXPECT_EQ(1, TaskAllocator()->DidAlloc(block));
  EXPECT_EQ(1u, LeakSpyLiveBlocks());
  EXPECT_EQ(E_ACCESSDENIED, CoRevokeMallocSpy());
  CoTaskMemFree(block);
  EXPECT_EQ(0u, LeakSpyObjects());
}

// ---- 2. The task allocator ----

TEST(Contract, Contract_2_1_CoGetMalloc) {
  IMalloc* first = nullptr;
  IMalloc* second = nullptr;
  EXPECT_EQ(S_OK, CoGetMalloc(1, &first));
  EXPECT_EQ(S_OK, CoGetMalloc(1, &second));
  EXPECT_NE(nullptr, first);
  EXPECT_EQ(first, second);
  for (const DWORD context : {0u, 2u, 0xffffffffu}) {
    IMalloc* none = first;
    EXPECT_EQ(E_INVALIDARG, CoGetMalloc(context, &none));
    EXPECT_EQ(nullptr, none);
    EXPECT_EQ(E_INVALIDARG, CoGetMalloc(context, nullptr));
  }
  EXPECT_EQ(E_INVALIDARG, CoGetMalloc(1, nullptr));
}

TEST(Contract, Contract_2_2_QueryInterfaceAndReferences) {
  IMalloc* task = TaskAllocator();
  for (REFIID known : {IID_IUnknown, IID_IMalloc}) {
    void* out = nullptr;
    EXPECT_EQ(S_OK, task->QueryInterface(known, &out));
    EXPECT_EQ(static_cast<void*>(task), out);
  }
  void* out = task;
  EXPECT_EQ(E_NOINTERFACE, task->QueryInterface(IID_IMallocSpy, &out));
  EXPECT_EQ(nullptr, out);
  task->AddRef();
  for (int i = 0; i < 10; ++i) task->Release();
  void* block = task->Alloc(5);
  EXPECT_EQ(5u, task->GetSize(block));
  task->Free(block);
}

TEST(Contract, Contract_2_3_ZeroBytesAndNull) {
  IMalloc* task = TaskAllocator();
  void* first = task->Alloc(0);
  void* second = task->Alloc(0);
  EXPECT_NE(nullptr, first);
  EXPECT_NE(nullptr, second);
  EXPECT_NE(first, second);
  EXPECT_EQ(0u, task->GetSize(first));
  task->Free(first);
  task->Free(second);
  task->Free(nullptr);
  CoTaskMemFree(nullptr);
  EXPECT_EQ(static_cast<SIZE_T>(-1), task->GetSize(nullptr));
  EXPECT_EQ(-1, task->DidAlloc(nullptr));
}

TEST(Contract, Contract_2_4_ExactSizes) {
  IMalloc* task = TaskAllocator();
  for (const SIZE_T bytes : {0, 1, 7, 8, 15, 16, 17, 27, 4095, 4096, 1000003}) {
    void* block = task->Alloc(bytes);
    EXPECT_EQ(bytes, task->GetSize(block));
    EXPECT_EQ(1, task->DidAlloc(block));
    task->Free(block);
  }
}

TEST(Contract, Contract_2_4_DidAllocOfAnythingElse) {
  IMalloc* task = TaskAllocator();
  static int global;
  int local = 0;
  char* block = static_cast<char*>(task->Alloc(64));
  EXPECT_EQ(0, task->DidAlloc(&local));
  EXPECT_EQ(0, task->DidAlloc(&global));
  for (int i = 1; i <= 80; ++i) {
    EXPECT_EQ(0, task->DidAlloc(block + i)) << i;
    EXPECT_EQ(0, task->DidAlloc(block - i)) << i;
  }
  task->Free(block);
  EXPECT_EQ(0, task->DidAlloc(block));
  uint64_t wild = 0x9e3779b97f4a7c15;
  for (int i = 0; i < 10000; ++i) {
    wild = wild * 6364136223846793005u + 1442695040888963407u;
    EXPECT_EQ(0, task->DidAlloc(reinterpret_cast<void*>(wild)));
    EXPECT_EQ(0, task->DidAlloc(reinterpret_cast<void*>(wild >> (i % 64) | 1)));
  }
}

TEST(Contract, Contract_2_5_Realloc) {
  IMalloc* task = TaskAllocator();
  char* block = static_cast<char*>(task->Realloc(nullptr, 27));
  ASSERT_NE(nullptr, block);
  memcpy(block, "abcdefg", 8);
  block = static_cast<char*>(task->Realloc(block, 100000));
  EXPECT_STREQ("abcdefg", block);
  EXPECT_EQ(100000u, task->GetSize(block));
  EXPECT_EQ(nullptr, task->Realloc(block, SIZE_MAX / 2));
  EXPECT_EQ(100000u, task->GetSize(block)) << "a failed one leaves the block unchanged";
  EXPECT_STREQ("abcdefg", block);
  EXPECT_EQ(nullptr, task->Realloc(block, 0));
  EXPECT_EQ(0, task->DidAlloc(block));
}

TEST(Contract, Contract_2_6_CoTaskMemFunctionsAreTheSameOperations) {
  IMalloc* task = TaskAllocator();
  void* block = CoTaskMemAlloc(27);
  EXPECT_EQ(27u, task->GetSize(block));
  block = CoTaskMemRealloc(block, 30);
  EXPECT_EQ(30u, task->GetSize(block));
  task->Free(block);
  block = task->Alloc(9);
  CoTaskMemFree(block);
  EXPECT_EQ(0, task->DidAlloc(block));
  EXPECT_EQ(nullptr, CoTaskMemRealloc(CoTaskMemRealloc(nullptr, 5), 0));
}

long ResidentPages() {
  long pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident;
}

TEST(Contract, Contract_2_6_HeapMinimizeGivesMemoryBack) {
  IMalloc* task = TaskAllocator();
  std::vector<void*> blocks;
  for (int i = 0; i < 4000; ++i) {
    blocks.push_back(task->Alloc(4000));
    memset(blocks.back(), 1, 4000);
  }
  void* last = task->Alloc(4000);  // keeps the top of the heap in use
  for (void* block : blocks) task->Free(block);
  const long before = ResidentPages();
  task->HeapMinimize();
  EXPECT_LT(ResidentPages(), before - 2000);  // of about 4000 pages
  task->Free(last);
}

// ---- 3. Registering and revoking ----

TEST(Contract, Contract_3_1_RegisteringNull) {
  EXPECT_EQ(E_INVALIDARG, CoRegisterMallocSpy(nullptr));
  RecordingSpy spy;
  ASSERT_EQ(S_OK, CoRegisterMallocSpy(&spy));
  EXPECT_EQ(E_INVALIDARG, CoRegisterMallocSpy(nullptr));
  EXPECT_EQ(S_OK, CoRevokeMallocSpy());
}

TEST(Contract, Contract_3_2_OneAtATime) {
  RecordingSpy spy, other;
  ASSERT_EQ(S_OK, CoRegisterMallocSpy(&spy));
  EXPECT_EQ(CO_E_OBJISREG, CoRegisterMallocSpy(&other));
  void* block = CoTaskMemAlloc(1);
  ASSERT_EQ(E_ACCESSDENIED, CoRevokeMallocSpy());
  EXPECT_EQ(CO_E_OBJISREG, CoRegisterMallocSpy(&other));
  EXPECT_EQ(0, other.queries);
  CoTaskMemFree(block);
}

TEST(Contract, Contract_3_3_QueryInterface) {
  RecordingSpy spy;
  spy.query_result = E_NOINTERFACE;
  EXPECT_EQ(E_INVALIDARG, CoRegisterMallocSpy(&spy));
  spy.query_result = S_OK;
  ASSERT_EQ(S_OK, CoRegisterMallocSpy(&spy));
  EXPECT_EQ(2, spy.queries);
  EXPECT_EQ(1, spy.references);
  EXPECT_EQ(S_OK, CoRevokeMallocSpy());
}

TEST(Contract, Contract_3_4_RevokingNothing) { EXPECT_EQ(CO_E_OBJNOTREG, CoRevokeMallocSpy()); }

TEST(Contract, Contract_3_5_RevokingReleasesOnce) {
  RecordingSpy spy;
  ASSERT_EQ(S_OK, CoRegisterMallocSpy(&spy));
  CoTaskMemFree(CoTaskMemAlloc(5));
  EXPECT_EQ(S_OK, CoRevokeMallocSpy());
  EXPECT_EQ(1, spy.releases);
  EXPECT_EQ(0, spy.references);
}

TEST(Contract, Contract_3_6_PendingRevoke) {
  RecordingSpy spy;
  ASSERT_EQ(S_OK, CoRegisterMallocSpy(&spy));
  void* first = CoTaskMemAlloc(5);
  void* second = CoTaskMemAlloc(5);
  EXPECT_EQ(E_ACCESSDENIED, CoRevokeMallocSpy());
  CoTaskMemFree(first);
  EXPECT_EQ(E_ACCESSDENIED, CoRevokeMallocSpy());
  EXPECT_EQ(0, spy.releases);
  EXPECT_EQ(nullptr, CoTaskMemRealloc(second, 0));
  EXPECT_EQ(1, spy.releases);
  EXPECT_EQ(CO_E_OBJNOTREG, CoRevokeMallocSpy());
}

// Allocates, resizes and frees until told to stop, and checks that no content is lost.
void UseTheTaskAllocator(uint32_t seed, const std::atomic<bool>& stop, std::atomic<int>& losses) {
  std::mt19937 random(seed);
  std::vector<std::string> contents(40);
  std::vector<char*> blocks(contents.size());
  while (!stop) {
    const size_t i = random() % blocks.size();
    const size_t bytes = 1 + random() % 300;
    if (blocks[i] != nullptr && contents[i] != std::string(blocks[i], contents[i].size())) ++losses;
    if (blocks[i] == nullptr) {
      blocks[i] = static_cast<char*>(CoTaskMemAlloc(bytes));
    } else if (random() % 2 == 0) {
      const size_t kept = std::min(bytes, contents[i].size());
      blocks[i] = static_cast<char*>(CoTaskMemRealloc(blocks[i], bytes));
      if (contents[i].substr(0, kept) != std::string(blocks[i], kept)) ++losses;
    } else {
      CoTaskMemFree(std::exchange(blocks[i], nullptr));
      continue;
    }
    contents[i] = std::string(bytes, static_cast<char>('a' + random() % 26));
    memcpy(blocks[i], contents[i].data(), bytes);
  }
  for (char* block : blocks) CoTaskMemFree(block);
}

TEST(Contract, Contract_3_6_SpiesComeAndGoUnderLoad) {
  for (int round = 0; round < 20; ++round) {
    std::atomic<bool> stop{false};
    std::atomic<int> losses{0};
    std::vector<std::thread> threads;
    for (uint32_t i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] { UseTheTaskAllocator(i, stop, losses); });
    }
    IMallocSpy* spy = CreateLeakSpy();  // it moves every block
    ASSERT_EQ(S_OK, CoRegisterMallocSpy(spy));
    spy->Release();
    for (int i = 0; i < 200; ++i) CoTaskMemFree(CoTaskMemAlloc(8));
    const HRESULT revoked = CoRevokeMallocSpy();
    EXPECT_TRUE(revoked == S_OK || revoked == E_ACCESSDENIED);
    stop = true;
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(0, losses);
    EXPECT_EQ(CO_E_OBJNOTREG, CoRevokeMallocSpy()) << "all its blocks are gone, so it is";
    EXPECT_EQ(0u, LeakSpyObjects());
    EXPECT_EQ(0u, LeakSpyLiveBlocks());
  }
}

TEST(Contract, Contract_3_7_NothingNewWhilePending) {
  RecordingSpy spy;
  ASSERT_EQ(S_OK, CoRegisterMallocSpy(&spy));
  void* own = CoTaskMemAlloc(5);
  ASSERT_EQ(E_ACCESSDENIED, CoRevokeMallocSpy());
  spy.TakeLog();
  CoTaskMemFree(CoTaskMemAlloc(6));
  EXPECT_THAT(spy.TakeLog(), IsEmpty());
  CoTaskMemFree(own);
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreFree 1", "PostFree 1"));
  EXPECT_EQ(1, spy.releases);
}

TEST(Contract, Contract_3_8_ReleaseOnTheThreadThatFreedTheLast) {
  RecordingSpy spy;
  ASSERT_EQ(S_OK, CoRegisterMallocSpy(&spy));
  void* block = CoTaskMemAlloc(5);
  ASSERT_EQ(E_ACCESSDENIED, CoRevokeMallocSpy());
  std::thread::id released_on;
  spy.on_release = [&] {
    released_on = std::this_thread::get_id();
    std::thread([] { CoTaskMemFree(CoTaskMemAlloc(1)); }).join();  // no lock is held
  };
  std::thread::id freed_on;
  std::thread([&] {
    freed_on = std::this_thread::get_id();
    CoTaskMemFree(block);
  }).join();
  EXPECT_EQ(freed_on, released_on);
}

// ---- 4. The hooks ----

TEST(Contract, Contract_4_1_PreOperationPost) {
  IMalloc* task = TaskAllocator();
  RecordingSpy spy;
  ASSERT_EQ(S_OK, CoRegisterMallocSpy(&spy));
  void* block = task->Alloc(27);
  block = task->Realloc(block, 28);
  task->GetSize(block);
  task->DidAlloc(block);
  task->HeapMinimize();
  CoTaskMemFree(block);
  EXPECT_EQ(S_OK, CoRevokeMallocSpy());
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreAlloc 27", "PostAlloc", "PreRealloc 28 1", "PostRealloc 1", "PreGetSize 1",
                                         "PostGetSize 28 1", "PreDidAlloc 1", "PostDidAlloc 1 1", "PreHeapMinimize",
                                         "PostHeapMinimize", "PreFree 1", "PostFree 1"));
}

TEST(Contract, Contract_4_1_OneThreadAtATime) {
  RecordingSpy spy;
  std::atomic<int> inside{0};
  std::atomic<bool> overlapped{false};
  spy.on_pre_alloc = [&](SIZE_T bytes) {
    if (inside.fetch_add(1) != 0) overlapped = true;
    return bytes;
  };
  spy.on_post_alloc = [&](void* block) {
    inside.fetch_sub(1);
    return block;
  };
  ASSERT_EQ(S_OK, CoRegisterMallocSpy(&spy));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int j = 0; j < 2000; ++j) CoTaskMemFree(CoTaskMemRealloc(CoTaskMemAlloc(8), 16));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(overlapped);
  EXPECT_EQ(S_OK, CoRevokeMallocSpy());
  EXPECT_EQ(48000u, spy.TakeLog().size());
}

TEST(Contract, Contract_4_2_PreAllocZeroFails) {
  RecordingSpy spy;
  ASSERT_EQ(S_OK, CoRegisterMallocSpy(&spy));
  spy.on_pre_alloc = [](SIZE_T) { return SIZE_T{0}; };
  EXPECT_EQ(nullptr, CoTaskMemAlloc(27));
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreAlloc 27"));
  spy.on_pre_alloc = nullptr;
  EXPECT_EQ(nullptr, CoTaskMemAlloc(SIZE_MAX / 2));
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreAlloc 9223372036854775807", "PostAlloc NULL")) << "real exhaustion";
  EXPECT_EQ(S_OK, CoRevokeMallocSpy());
}

TEST(Contract, Contract_4_3_SpiedIsWhatWasHandedOut) {
  void* older = CoTaskMemAlloc(5);
  RecordingSpy spy;
  ASSERT_EQ(S_OK, CoRegisterMallocSpy(&spy));
  void* block = CoTaskMemAlloc(6);
  spy.TakeLog();
  CoTaskMemFree(older);
  CoTaskMemFree(block);
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreFree 0", "PostFree 0", "PreFree 1", "PostFree 1"));
  EXPECT_EQ(S_OK, CoRevokeMallocSpy());
}

TEST(Contract, Contract_4_4_PreFreeDecidesWhatIsFreed) {
  IMalloc* task = TaskAllocator();
  RecordingSpy spy;
  ASSERT_EQ(S_OK, CoRegisterMallocSpy(&spy));
  void* kept = nullptr;
  spy.on_pre_free = [&](void* block, BOOL) -> void* { return std::exchange(kept, block); };
  void* first = task->Alloc(5);
  void* second = task->Alloc(6);
  task->Free(first);
  EXPECT_EQ(1, task->DidAlloc(first)) << "taken over";
  task->Free(second);
  EXPECT_EQ(0, task->DidAlloc(first));
  EXPECT_EQ(1, task->DidAlloc(second));
  spy.TakeLog();
  task->Free(nullptr);
  EXPECT_THAT(spy.TakeLog(), IsEmpty());
  EXPECT_EQ(S_OK, CoRevokeMallocSpy());
  task->Free(second);
}

TEST(Contract, Contract_4_5_Realloc) {
  IMalloc* task = TaskAllocator();
  RecordingSpy spy;
  ASSERT_EQ(S_OK, CoRegisterMallocSpy(&spy));
  void* block = task->Realloc(nullptr, 5);
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreRealloc NULL 5 1", "PostRealloc 1"));
  EXPECT_EQ(nullptr, task->Realloc(block, SIZE_MAX / 2));
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreRealloc 9223372036854775807 1", "PostRealloc NULL 1"));
  spy.on_pre_realloc = [](void*, SIZE_T, void**, BOOL) { return SIZE_T{0}; };
  EXPECT_EQ(nullptr, task->Realloc(block, 50));
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreRealloc 50 1"));
  EXPECT_EQ(5u, task->GetSize(block));
  spy.TakeLog();
  EXPECT_EQ(nullptr, task->Realloc(block, 0));
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreRealloc 0 1", "PostRealloc NULL 1"));
  EXPECT_EQ(S_OK, CoRevokeMallocSpy());
}

TEST(Contract, Contract_4_5_AnOlderBlockBecomesSpied) {
  void* block = CoTaskMemAlloc(5);
  RecordingSpy spy;
  ASSERT_EQ(S_OK, CoRegisterMallocSpy(&spy));
  block = CoTaskMemRealloc(block, 50000);
  CoTaskMemFree(block);
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreRealloc 50000 0", "PostRealloc 0", "PreFree 1", "PostFree 1"));
  EXPECT_EQ(S_OK, CoRevokeMallocSpy());
}

TEST(Contract, Contract_4_6_GetSizeAndDidAlloc) {
  IMalloc* task = TaskAllocator();
  ShiftingSpy spy(16);
  ASSERT_EQ(S_OK, CoRegisterMallocSpy(&spy));
  void* block = task->Alloc(27);
  EXPECT_EQ(27u, task->GetSize(block));
  EXPECT_EQ(1, task->DidAlloc(block));
  EXPECT_EQ(block, spy.got) << "PostDidAlloc gets the caller's pointer";
  spy.on_post_did_alloc = [](void*, BOOL, int) { return 7; };
  EXPECT_EQ(7, task->DidAlloc(block));
  spy.TakeLog();
  EXPECT_EQ(static_cast<SIZE_T>(-1), task->GetSize(nullptr));
  EXPECT_EQ(-1, task->DidAlloc(nullptr));
  EXPECT_THAT(spy.TakeLog(), IsEmpty());
  task->Free(block);
  EXPECT_EQ(S_OK, CoRevokeMallocSpy());
}

TEST(Contract, Contract_4_7_HeapMinimize) {
  RecordingSpy spy;
  ASSERT_EQ(S_OK, CoRegisterMallocSpy(&spy));
  TaskAllocator()->HeapMinimize();
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreHeapMinimize", "PostHeapMinimize"));
  EXPECT_EQ(S_OK, CoRevokeMallocSpy());
}

TEST(Contract, Contract_4_8_DataInFrontOfEveryBlock) {
  for (const size_t front : {size_t{16}, size_t{8}, size_t{1}, size_t{4096}}) {
    IMalloc* task = TaskAllocator();
    ShiftingSpy spy(front);
    ASSERT_EQ(S_OK, CoRegisterMallocSpy(&spy));
    std::vector<char*> blocks;
    for (int i = 0; i < 300; ++i) {
      blocks.push_back(static_cast<char*>(task->Alloc(static_cast<SIZE_T>(i))));
      memset(blocks.back() - front, i, front + static_cast<size_t>(i));
    }
    for (int i = 0; i < 300; ++i) {
      blocks[i] = static_cast<char*>(task->Realloc(blocks[i], static_cast<SIZE_T>(i) + 100));
      ASSERT_EQ(static_cast<size_t>(i) + 100, task->GetSize(blocks[i]));
      ASSERT_EQ(1, task->DidAlloc(blocks[i]));
      ASSERT_EQ(std::string(static_cast<size_t>(i), static_cast<char>(i)),
                std::string(blocks[i], static_cast<size_t>(i)));
    }
    EXPECT_EQ(E_ACCESSDENIED, CoRevokeMallocSpy());
    for (char* block : blocks) task->Free(block);
    EXPECT_EQ(1, spy.releases);
  }
}

TEST(Contract, Contract_4_8_AShiftedMallocBlock) {
  ShiftingSpy spy(32);
  ASSERT_EQ(S_OK, mallocspy_add_spy(&spy, MALLOCSPY_SEE_MALLOC));
  char* block = static_cast<char*>(malloc(27));
  const size_t bytes = malloc_usable_size(block);
  memcpy(block, "abcdefg", 8);
  block = static_cast<char*>(realloc(block, 2700));
  const bool kept = strcmp("abcdefg", block) == 0;
  free(block);
  // No block of another call is left behind: nothing else was called.
  const HRESULT removed = mallocspy_remove_spy(&spy);
  EXPECT_EQ(27u, bytes);
  EXPECT_TRUE(kept);
  EXPECT_EQ(S_OK, removed);
}

TEST(Contract, Contract_4_9_CallsOfTheSpyBypassIt) {
  IMalloc* task = TaskAllocator();
  RecordingSpy spy;
  ASSERT_EQ(S_OK, CoRegisterMallocSpy(&spy));
  void* own = nullptr;
  spy.on_pre_alloc = [&](SIZE_T bytes) {
    own = task->Alloc(5);
    CoTaskMemFree(CoTaskMemAlloc(6));
    free(malloc(7));
    delete new int;
    return bytes;
  };
  void* block = task->Alloc(27);
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreAlloc 27", "PostAlloc"));
  task->Free(block);
  spy.TakeLog();
  task->Free(own);
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreFree 0", "PostFree 0"));
  EXPECT_EQ(S_OK, CoRevokeMallocSpy());
}

TEST(Contract, Contract_4_9_AllocatingInTheMethodsOfASpyThatSeesMalloc) {
  // RecordingSpy allocates in each of its methods. That it can see malloc at all proves the bypass.
  std::vector<std::string> log;
  RecordingSpy spy(&log, "spy");
  ASSERT_EQ(S_OK, mallocspy_add_spy(&spy, MALLOCSPY_SEE_MALLOC));
  free(malloc(100001));
  EXPECT_EQ(S_OK, mallocspy_remove_spy(&spy));
  EXPECT_THAT(log, Contains("spy:PreAlloc 100001"));
}

// ---- 5. Who owns memory across an interface ----

TEST(Contract, Contract_5_1_OutParametersBelongToTheCaller) {
  // What an interface hands out is the caller's to release: the allocator to its caller, the interface of a spy to the
  // chain, which releases just that.
  RecordingSpy spy;
  ASSERT_EQ(S_OK, CoRegisterMallocSpy(&spy));
  EXPECT_EQ(1, spy.references);
  EXPECT_EQ(S_OK, CoRevokeMallocSpy());
  EXPECT_EQ(0, spy.references);
  // An in/out block: the callee frees and allocates anew, the caller frees the final value.
  IMalloc* task = TaskAllocator();
  auto callee = [](char** in_out) {
    CoTaskMemFree(*in_out);
    *in_out = static_cast<char*>(CoTaskMemAlloc(40));
  };
  char* text = static_cast<char*>(task->Alloc(4));
  callee(&text);
  EXPECT_EQ(40u, task->GetSize(text));
  task->Free(text);
}

TEST(Contract, Contract_5_2_OnFailureOutParametersAreNull) {
  IMalloc* task = TaskAllocator();
  IMalloc* none = task;
  EXPECT_TRUE(FAILED(CoGetMalloc(5, &none)));
  EXPECT_EQ(nullptr, none);
  void* out = task;
  EXPECT_TRUE(FAILED(task->QueryInterface(IID_IMallocSpy, &out)));
  EXPECT_EQ(nullptr, out);
}

}  // namespace
}  // namespace mallocspy

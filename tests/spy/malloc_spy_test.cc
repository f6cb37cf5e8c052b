// Section 1 of the contract: types, values, tables of methods, macros.
#include "spy/malloc_spy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <type_traits>

#include "tests/spy/c_spy.h"
#include "tests/spy/recording_spy.h"

namespace mallocspy {
namespace {

using testing::ElementsAre;

TEST(MallocSpyHeader, Contract_1_1_TypesAndValues) {
  static_assert(std::is_same_v<HRESULT, int32_t> && std::is_same_v<BOOL, int32_t>);
  static_assert(std::is_same_v<ULONG, uint32_t> && std::is_same_v<DWORD, uint32_t>);
  static_assert(std::is_same_v<SIZE_T, size_t>);
  EXPECT_EQ(0, S_OK);
  EXPECT_EQ(static_cast<HRESULT>(0x80004002), E_NOINTERFACE);
  EXPECT_EQ(static_cast<HRESULT>(0x80004003), E_POINTER);
  EXPECT_EQ(static_cast<HRESULT>(0x80070005), E_ACCESSDENIED);
  EXPECT_EQ(static_cast<HRESULT>(0x8007000E), E_OUTOFMEMORY);
  EXPECT_EQ(static_cast<HRESULT>(0x80070057), E_INVALIDARG);
  EXPECT_EQ(static_cast<HRESULT>(0x800401FB), CO_E_OBJNOTREG);
  EXPECT_EQ(static_cast<HRESULT>(0x800401FC), CO_E_OBJISREG);
  EXPECT_TRUE(c_spy_values_are_right());
}

TEST(MallocSpyHeader, Contract_1_2_InterfaceIds) {
  auto text = [](REFIID id) {
    char out[40];
    snprintf(out, sizeof(out), "%08X-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X", id.Data1, id.Data2, id.Data3,
             id.Data4[0], id.Data4[1], id.Data4[2], id.Data4[3], id.Data4[4], id.Data4[5], id.Data4[6], id.Data4[7]);
    return std::string(out);
  };
  EXPECT_EQ("00000000-0000-0000-C000-000000000046", text(IID_IUnknown));
  EXPECT_EQ("00000002-0000-0000-C000-000000000046", text(IID_IMalloc));
  EXPECT_EQ("0000001D-0000-0000-C000-000000000046", text(IID_IMallocSpy));
  EXPECT_TRUE(IsEqualIID(IID_IMalloc, IID_IMalloc));
  EXPECT_FALSE(IsEqualIID(IID_IMalloc, IID_IMallocSpy));
  EXPECT_TRUE(IID_IMalloc == IID_IMalloc);
  EXPECT_TRUE(IID_IMalloc != IID_IUnknown);
}

// The C declaration spells the table out; called through it, a C++ object must see each method in turn.
TEST(MallocSpyHeader, Contract_1_3_OrderOfMethods) {
  RecordingSpy spy;
  c_spy_call_all(&spy);
  EXPECT_EQ(1, spy.queries);
  EXPECT_EQ(1, spy.releases);
  EXPECT_EQ(1, spy.references);
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreAlloc 1", "PostAlloc", "PreFree 1", "PostFree 0", "PreRealloc 2 1",
                                         "PostRealloc 0", "PreGetSize 1", "PostGetSize 3 0", "PreDidAlloc 1",
                                         "PostDidAlloc 0 1", "PreHeapMinimize", "PostHeapMinimize"));
}

// A spy whose n-th slot is asked for by number: the table begins with QueryInterface and has nothing else in it.
TEST(MallocSpyHeader, Contract_1_3_SlotsByNumber) {
  RecordingSpy spy;
  void** table = *reinterpret_cast<void***>(static_cast<IMallocSpy*>(&spy));
  reinterpret_cast<ULONG (*)(IMallocSpy*)>(table[1])(&spy);
  EXPECT_EQ(1, spy.references);
  reinterpret_cast<ULONG (*)(IMallocSpy*)>(table[2])(&spy);
  EXPECT_EQ(0, spy.references);
  reinterpret_cast<SIZE_T (*)(IMallocSpy*, SIZE_T)>(table[3])(&spy, 7);
  reinterpret_cast<void (*)(IMallocSpy*)>(table[14])(&spy);
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreAlloc 7", "PostHeapMinimize"));
  static_assert(!std::has_virtual_destructor_v<IUnknown> && !std::has_virtual_destructor_v<IMalloc> &&
                !std::has_virtual_destructor_v<IMallocSpy>);
}

TEST(MallocSpyHeader, Contract_1_4_ParameterLists) {
  static_assert(std::is_same_v<decltype(&IMallocSpy::PreAlloc), SIZE_T (IMallocSpy::*)(SIZE_T)>);
  static_assert(std::is_same_v<decltype(&IMallocSpy::PostAlloc), void* (IMallocSpy::*)(void*)>);
  static_assert(std::is_same_v<decltype(&IMallocSpy::PreFree), void* (IMallocSpy::*)(void*, BOOL)>);
  static_assert(std::is_same_v<decltype(&IMallocSpy::PostFree), void (IMallocSpy::*)(BOOL)>);
  static_assert(std::is_same_v<decltype(&IMallocSpy::PreRealloc), SIZE_T (IMallocSpy::*)(void*, SIZE_T, void**, BOOL)>);
  static_assert(std::is_same_v<decltype(&IMallocSpy::PostRealloc), void* (IMallocSpy::*)(void*, BOOL)>);
  static_assert(std::is_same_v<decltype(&IMallocSpy::PreGetSize), void* (IMallocSpy::*)(void*, BOOL)>);
  static_assert(std::is_same_v<decltype(&IMallocSpy::PostGetSize), SIZE_T (IMallocSpy::*)(SIZE_T, BOOL)>);
  static_assert(std::is_same_v<decltype(&IMallocSpy::PreDidAlloc), void* (IMallocSpy::*)(void*, BOOL)>);
  static_assert(std::is_same_v<decltype(&IMallocSpy::PostDidAlloc), int (IMallocSpy::*)(void*, BOOL, int)>);
  static_assert(std::is_same_v<decltype(&IMallocSpy::PreHeapMinimize), void (IMallocSpy::*)()>);
  static_assert(std::is_same_v<decltype(&IMallocSpy::PostHeapMinimize), void (IMallocSpy::*)()>);
  static_assert(std::is_same_v<decltype(&IMalloc::Alloc), void* (IMalloc::*)(SIZE_T)>);
  static_assert(std::is_same_v<decltype(&IMalloc::Realloc), void* (IMalloc::*)(void*, SIZE_T)>);
  static_assert(std::is_same_v<decltype(&IMalloc::Free), void (IMalloc::*)(void*)>);
  static_assert(std::is_same_v<decltype(&IMalloc::GetSize), SIZE_T (IMalloc::*)(void*)>);
  static_assert(std::is_same_v<decltype(&IMalloc::DidAlloc), int (IMalloc::*)(void*)>);
  static_assert(std::is_same_v<decltype(&IMalloc::HeapMinimize), void (IMalloc::*)()>);
}

TEST(MallocSpyHeader, ReferenceCountsOfEveryIntegerThatSpiesUse) {
  LONG a = 1;
  ULONG b = 1;
  long c = 1;
  struct {
    ULONG count = 1;
    ULONG neighbour = 77;
  } d;
  EXPECT_EQ(2, InterlockedIncrement(&a));
  EXPECT_EQ(2u, InterlockedIncrement(&b));
  EXPECT_EQ(2, InterlockedIncrement(&c));
  EXPECT_EQ(2, c);
  // On Windows a long has the size of a ULONG, and sources say so.
  EXPECT_EQ(2, InterlockedIncrement(reinterpret_cast<long*>(&d.count)));
  EXPECT_EQ(1, InterlockedDecrement(reinterpret_cast<long*>(&d.count)));
  EXPECT_EQ(0, InterlockedDecrement(reinterpret_cast<long*>(&d.count)));
  EXPECT_EQ(77u, d.neighbour);
  EXPECT_EQ(1, InterlockedDecrement(&a));
  EXPECT_EQ(1u, InterlockedDecrement(&b));
  EXPECT_EQ(1, InterlockedDecrement(&c));
}

}  // namespace
}  // namespace mallocspy

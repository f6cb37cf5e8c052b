#include "spy/hooks_spy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spy/spy_chain.h"
#include "tests/spy/c_spy.h"
#include "tests/spy/fake_heap.h"

namespace mallocspy {
namespace {

using testing::IsEmpty;

const Request kTask{.door = Door::kTask};
const Request kMalloc{.door = Door::kMalloc};

// Every operation once.
void UseTheHeap(FakeHeap& heap, const Request& request) {
  void* block = spy_chain.Allocate(heap, 10, request);
  EXPECT_EQ(10u, spy_chain.SizeOf(heap, block, request.door));
  EXPECT_EQ(1, spy_chain.DidAlloc(heap, block, request.door));
  block = spy_chain.Reallocate(heap, block, 20, request);
  spy_chain.Minimize(heap, request.door);
  spy_chain.Deallocate(heap, block, request);
}

void ExpectOneOfEach(const c_spy_counts& counts) {
  EXPECT_EQ(1u, counts.pre_alloc);
  EXPECT_EQ(1u, counts.post_alloc);
  EXPECT_EQ(1u, counts.pre_free);
  EXPECT_EQ(1u, counts.post_free);
  EXPECT_EQ(1u, counts.pre_realloc);
  EXPECT_EQ(1u, counts.post_realloc);
  EXPECT_EQ(1u, counts.pre_get_size);
  EXPECT_EQ(1u, counts.post_get_size);
  EXPECT_EQ(1u, counts.pre_did_alloc);
  EXPECT_EQ(1u, counts.post_did_alloc);
  EXPECT_EQ(1u, counts.pre_heap_minimize);
  EXPECT_EQ(1u, counts.post_heap_minimize);
  EXPECT_EQ(1u, counts.spied);
}

TEST(HooksSpy, EveryHookIsCalledWithItsContext) {
  FakeHeap heap;
  c_spy_counts counts = {}, others = {};
  ASSERT_EQ(S_OK, mallocspy_add_hooks(&c_spy_counting_hooks, &counts, 0));
  ASSERT_EQ(S_OK, mallocspy_add_hooks(&c_spy_counting_hooks, &others, MALLOCSPY_SEE_MALLOC));
  UseTheHeap(heap, kTask);
  ExpectOneOfEach(counts);
  ExpectOneOfEach(others);
  others = {};
  UseTheHeap(heap, kMalloc);
  ExpectOneOfEach(counts);
  ExpectOneOfEach(others);
  EXPECT_EQ(S_OK, mallocspy_remove_hooks(&c_spy_counting_hooks, &counts));
  EXPECT_EQ(1u, counts.released);
  EXPECT_EQ(0u, others.released);
  EXPECT_EQ(S_OK, mallocspy_remove_hooks(&c_spy_counting_hooks, &others));
  EXPECT_EQ(1u, others.released);
}

TEST(HooksSpy, MissingHooksPassThrough) {
  FakeHeap heap;
  static const mallocspy_hooks nothing = {};
  ASSERT_EQ(S_OK, mallocspy_add_hooks(&nothing, nullptr, 0));
  UseTheHeap(heap, kTask);
  EXPECT_TRUE(heap.blocks.empty());
  EXPECT_EQ(S_OK, mallocspy_remove_hooks(&nothing, nullptr));
  EXPECT_THAT(heap.breaches, IsEmpty());
}

TEST(HooksSpy, ShiftingHooks) {
  FakeHeap heap;
  ASSERT_EQ(S_OK, mallocspy_add_hooks(&c_spy_shifting_hooks, nullptr, MALLOCSPY_SEE_MALLOC));
  char* pointer = static_cast<char*>(spy_chain.Allocate(heap, 10, kMalloc));
  EXPECT_EQ(42u, heap.SizeOf(pointer - 32));
  EXPECT_EQ(E_ACCESSDENIED, mallocspy_remove_hooks(&c_spy_shifting_hooks, nullptr));
  spy_chain.Deallocate(heap, pointer, kMalloc);
  EXPECT_EQ(CO_E_OBJNOTREG, mallocspy_remove_hooks(&c_spy_shifting_hooks, nullptr));
  EXPECT_THAT(heap.breaches, IsEmpty());
}

TEST(HooksSpy, ReleasedComesWhenThePendingRevokeEnds) {
  FakeHeap heap;
  c_spy_counts counts = {};
  ASSERT_EQ(S_OK, mallocspy_add_hooks(&c_spy_counting_hooks, &counts, 0));
  void* block = spy_chain.Allocate(heap, 10, kTask);
  EXPECT_EQ(E_ACCESSDENIED, mallocspy_remove_hooks(&c_spy_counting_hooks, &counts));
  EXPECT_EQ(CO_E_OBJISREG, mallocspy_add_hooks(&c_spy_counting_hooks, &counts, 0));
  EXPECT_EQ(0u, counts.released);
  spy_chain.Deallocate(heap, block, kTask);
  EXPECT_EQ(1u, counts.released);
  EXPECT_EQ(S_OK, mallocspy_add_hooks(&c_spy_counting_hooks, &counts, 0));
  EXPECT_EQ(S_OK, mallocspy_remove_hooks(&c_spy_counting_hooks, &counts));
}

TEST(HooksSpy, WrongArguments) {
  c_spy_counts counts = {};
  EXPECT_EQ(E_INVALIDARG, mallocspy_add_hooks(nullptr, &counts, 0));
  EXPECT_EQ(E_INVALIDARG, mallocspy_add_hooks(&c_spy_counting_hooks, &counts, 64));
  EXPECT_EQ(CO_E_OBJNOTREG, mallocspy_remove_hooks(&c_spy_counting_hooks, &counts));
  ASSERT_EQ(S_OK, mallocspy_add_hooks(&c_spy_counting_hooks, &counts, 0));
  EXPECT_EQ(CO_E_OBJISREG, mallocspy_add_hooks(&c_spy_counting_hooks, &counts, 0));
  EXPECT_EQ(S_OK, mallocspy_remove_hooks(&c_spy_counting_hooks, &counts));
  EXPECT_EQ(1u, counts.released);
}

TEST(HooksSpy, AFailedAddTellsNothingAndTakesNoPlace) {
  c_spy_counts counts[kMaxSpies + 1] = {};
  for (int i = 0; i < kMaxSpies; ++i) ASSERT_EQ(S_OK, mallocspy_add_hooks(&c_spy_counting_hooks, &counts[i], 0));
  EXPECT_EQ(E_OUTOFMEMORY, mallocspy_add_hooks(&c_spy_counting_hooks, &counts[kMaxSpies], 0));
  for (int i = 0; i < kMaxSpies; ++i) ASSERT_EQ(S_OK, mallocspy_remove_hooks(&c_spy_counting_hooks, &counts[i]));
  for (int i = 0; i < 2 * kMaxSpies; ++i) {
    EXPECT_EQ(E_INVALIDARG, mallocspy_add_hooks(&c_spy_counting_hooks, &counts[kMaxSpies], 64));
  }
  EXPECT_EQ(0u, counts[kMaxSpies].released);
}

TEST(HooksSpy, AnObjectOfC) {
  FakeHeap heap;
  c_spy_counts counts = {};
  IMallocSpy* spy = c_spy_object(&counts);
  ASSERT_EQ(S_OK, CoRegisterMallocSpy(spy));
  EXPECT_EQ(1u, c_spy_object_references());
  UseTheHeap(heap, kTask);
  ExpectOneOfEach(counts);
  EXPECT_EQ(S_OK, CoRevokeMallocSpy());
  EXPECT_EQ(0u, c_spy_object_references());
}

}  // namespace
}  // namespace mallocspy

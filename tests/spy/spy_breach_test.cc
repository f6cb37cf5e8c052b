// Spies that break the contract: clause 4.10.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "tests/spy/spy_chain_fixture.h"

namespace mallocspy {
namespace {

using testing::ElementsAre;

TEST_F(SpyChainTest, Contract_4_10_FewerBytesThanAsked) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  spy.on_pre_alloc = [](SIZE_T bytes) { return bytes - 1; };
  void* block = Alloc(27);
  EXPECT_EQ(27u, heap.blocks.at(block).bytes);
  EXPECT_THAT(heap.breaches, ElementsAre("PreAlloc returned fewer bytes than asked"));
  spy.on_pre_realloc = [](void*, SIZE_T bytes, void**, BOOL) { return bytes - 1; };
  block = Realloc(block, 50);
  EXPECT_EQ(50u, heap.blocks.at(block).bytes);
  EXPECT_EQ("PreRealloc returned fewer bytes than asked", heap.breaches.back());
}

TEST_F(SpyChainTest, Contract_4_10_APointerOutsideTheBlock) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  void* actual = nullptr;
  for (const long shift : {-1L, 27L, 28L, 1L << 40}) {
    spy.on_post_alloc = [&](void* block) -> void* { return actual = block, static_cast<char*>(block) + shift; };
    heap.breaches.clear();
    void* block = Alloc(27);
    EXPECT_EQ(actual, block) << shift;
    EXPECT_THAT(heap.breaches, ElementsAre("PostAlloc returned a pointer outside its block")) << shift;
    EXPECT_FALSE(chain.HasShifted());
    Free(block);
  }
  spy.on_post_alloc = nullptr;
  spy.on_post_realloc = [&](void* block, BOOL) -> void* { return actual = block, static_cast<char*>(block) - 1; };
  void* block = Realloc(Alloc(3), 27);
  EXPECT_EQ(actual, block);
  EXPECT_EQ("PostRealloc returned a pointer outside its block", heap.breaches.back());
}

TEST_F(SpyChainTest, Contract_4_10_TooFewBytesBehindThePointer) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  spy.on_pre_alloc = [](SIZE_T bytes) { return bytes + 8; };
  void* actual = nullptr;
  spy.on_post_alloc = [&](void* block) -> void* { return actual = block, static_cast<char*>(block) + 9; };
  EXPECT_EQ(actual, Alloc(27));
  EXPECT_THAT(heap.breaches, ElementsAre("PostAlloc returned a pointer with fewer bytes behind it than asked"));
  spy.on_post_alloc = [&](void* block) -> void* { return actual = block, static_cast<char*>(block) + 8; };
  EXPECT_EQ(static_cast<char*>(actual = Alloc(27)), actual);
  EXPECT_EQ(1u, heap.breaches.size());
}

TEST_F(SpyChainTest, Contract_4_10_AlignmentOfTheOtherDoors) {
  ASSERT_EQ(S_OK, chain.Add(&spy, MALLOCSPY_SEE_MALLOC));
  spy.on_pre_alloc = [](SIZE_T bytes) { return bytes + 64; };
  void* actual = nullptr;
  size_t shift = 8;
  spy.on_post_alloc = [&](void* block) -> void* { return actual = block, static_cast<char*>(block) + shift; };
  EXPECT_EQ(actual, Alloc(27, kMalloc));
  EXPECT_THAT(heap.breaches, ElementsAre("PostAlloc returned a pointer that breaks the alignment of 16 bytes"));
  EXPECT_NE(actual, Alloc(27, kTask)) << "the task allocator promises none";
  shift = 16;
  EXPECT_NE(actual, Alloc(27, kMalloc));
  EXPECT_EQ(1u, heap.breaches.size());
  EXPECT_EQ(actual, Alloc(27, Request{.door = Door::kAlignedMalloc, .alignment = 64}));
  EXPECT_EQ(1u, heap.breaches.size()) << "a spy is not told of wider alignments";
}

TEST_F(SpyChainTest, Contract_4_3_AnAnswerThatIsNotHandedOutMakesNoSpiedBlock) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  spy.on_post_alloc = [](void* block) -> void* { return static_cast<char*>(block) - 16; };
  void* block = Alloc(27);
  spy.TakeLog();
  chain.SizeOf(heap, block, Door::kTask);
  Free(block);
  EXPECT_THAT(spy.TakeLog(), ElementsAre("PreGetSize 0", "PostGetSize 27 0", "PreFree 0", "PostFree 0"));
  Alloc(27);
  EXPECT_EQ(S_OK, chain.RevokeComSpy()) << "no block is outstanding";
}

// A spy that moves what the program holds behind its own data when it meets a block that it did not spy.
class AdoptingSpy : public ShiftingSpy {
 public:
  AdoptingSpy() : ShiftingSpy(kFront) {
    on_pre_realloc = [this](void* pointer, SIZE_T bytes, void** request, BOOL spied) {
      *request = spied && pointer != nullptr ? static_cast<char*>(pointer) - kFront : pointer;
      bytes_ = bytes;
      return bytes + kFront;
    };
    on_post_realloc = [this](void* pointer, BOOL spied) -> void* {
      char* const moved = static_cast<char*>(pointer) + kFront;
      if (!spied) memmove(moved, pointer, bytes_);
      memset(pointer, '#', kFront);
      return moved;
    };
  }

  static constexpr size_t kFront = 32;

 private:
  SIZE_T bytes_ = 0;
};

TEST_F(SpyChainTest, Contract_4_3_AWideAlignmentKeepsTheContentsOverARealloc) {
  AdoptingSpy adopting;
  ASSERT_EQ(S_OK, chain.Add(&adopting, MALLOCSPY_SEE_MALLOC));
  char* block = static_cast<char*>(Alloc(10, Request{.door = Door::kAlignedMalloc, .alignment = 4096}));
  ASSERT_EQ(0u, reinterpret_cast<size_t>(block) % 4096);
  strcpy(block, "contents");
  adopting.TakeLog();
  block = static_cast<char*>(Realloc(block, 200, kMalloc));
  EXPECT_THAT(adopting.TakeLog(), ElementsAre("PreRealloc 200 0", "PostRealloc 0"));
  EXPECT_STREQ("contents", block);
  block = static_cast<char*>(Realloc(block, 300, kMalloc));
  EXPECT_THAT(adopting.TakeLog(), ElementsAre("PreRealloc 300 1", "PostRealloc 1"));
  EXPECT_STREQ("contents", block);
  Free(block, kMalloc);
  EXPECT_TRUE(heap.breaches.empty());
  EXPECT_TRUE(heap.invalid.empty());
}

TEST_F(SpyChainTest, Contract_4_3_ARejectedResizeMovesTheContentsBackAndIsNotSpied) {
  for (const bool null : {false, true}) {
    ShiftingSpy shifting(16);
    ASSERT_EQ(S_OK, chain.RegisterComSpy(&shifting));
    char* block = static_cast<char*>(Alloc(10));
    strcpy(block, "contents");
    shifting.on_post_realloc = [null](void* pointer, BOOL) -> void* {
      return null ? nullptr : static_cast<char*>(pointer) - 16;
    };
    shifting.TakeLog();
    block = static_cast<char*>(Realloc(block, 200));
    EXPECT_STREQ("contents", block);
    EXPECT_TRUE(heap.IsLive(block));
    Free(block);
    EXPECT_THAT(shifting.TakeLog(), ElementsAre("PreRealloc 200 1", "PostRealloc 1", "PreFree 0", "PostFree 0"));
    EXPECT_TRUE(heap.invalid.empty());
    EXPECT_FALSE(chain.HasShifted());
    EXPECT_EQ(S_OK, chain.RevokeComSpy());
  }
}

// The inner spy's answer cannot be handed out; for the outer one the block is as it expects it.
TEST_F(SpyChainTest, Contract_4_3_EachSpyOfAChainForItself) {
  ShiftingSpy inner(8);
  ShiftingSpy outer(16);
  ASSERT_EQ(S_OK, chain.Add(&inner, MALLOCSPY_SEE_MALLOC));
  ASSERT_EQ(S_OK, chain.Add(&outer, MALLOCSPY_SEE_MALLOC));
  char* block = static_cast<char*>(Alloc(10));
  strcpy(block, "contents");
  block = static_cast<char*>(Realloc(block, 100, kMalloc));
  EXPECT_STREQ("contents", block);
  EXPECT_THAT(heap.breaches, ElementsAre("PostRealloc returned a pointer that breaks the alignment of 16 bytes"));
  inner.TakeLog();
  outer.TakeLog();
  Free(block, kMalloc);
  EXPECT_THAT(inner.TakeLog(), ElementsAre("PreFree 0", "PostFree 0"));
  EXPECT_THAT(outer.TakeLog(), ElementsAre("PreFree 1", "PostFree 1"));
  EXPECT_TRUE(heap.blocks.empty());
}

TEST_F(SpyChainTest, Contract_4_10_APreMethodThatLosesTheBlock) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  auto wrong = [](void* pointer, BOOL) -> void* { return static_cast<char*>(pointer) - 16; };
  spy.on_pre_free = spy.on_pre_get_size = spy.on_pre_did_alloc = wrong;
  spy.on_pre_realloc = [](void* pointer, SIZE_T bytes, void** request, BOOL) {
    *request = static_cast<char*>(pointer) + 1;
    return bytes;
  };
  void* block = Alloc(27);
  EXPECT_EQ(27u, chain.SizeOf(heap, block, Door::kTask));
  EXPECT_EQ(1, chain.DidAlloc(heap, block, Door::kTask));
  block = Realloc(block, 30);
  EXPECT_EQ(30u, heap.SizeOf(block));
  Free(block);
  EXPECT_TRUE(heap.blocks.empty());
  EXPECT_THAT(heap.breaches, ElementsAre("PreGetSize returned a pointer that is no live block",
                                         "PreDidAlloc returned a pointer that is no live block",
                                         "PreRealloc stored a pointer that is no live block",
                                         "PreFree returned a pointer that is no live block"));
}

TEST_F(SpyChainTest, Contract_4_10_AShiftingSpyThatForgetsToMapBack) {
  ShiftingSpy shifting(16);
  shifting.on_pre_free = nullptr;
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&shifting));
  Free(Alloc(27));
  EXPECT_TRUE(heap.blocks.empty());
  EXPECT_THAT(heap.breaches, ElementsAre("PreFree returned a pointer that is no live block"));
}

TEST_F(SpyChainTest, Contract_4_10_PointersAndNullsWhereTheyDoNotBelong) {
  ASSERT_EQ(S_OK, chain.RegisterComSpy(&spy));
  int local = 0;
  spy.on_post_alloc = [&](void* block) -> void* { return block == nullptr ? &local : block; };
  heap.exhausted = true;
  EXPECT_EQ(nullptr, Alloc(27));
  EXPECT_THAT(heap.breaches, ElementsAre("PostAlloc returned a pointer where there is no block"));
  heap.exhausted = false;
  void* block = Alloc(27);
  spy.on_post_realloc = [](void*, BOOL) -> void* { return nullptr; };
  block = Realloc(block, 50);
  ASSERT_NE(nullptr, block) << "the old block is gone, so there must be a usable one";
  EXPECT_EQ("PostRealloc returned NULL for a block that was resized", heap.breaches.back());
  spy.on_post_realloc = [&](void*, BOOL) -> void* { return &local; };
  EXPECT_EQ(nullptr, Realloc(block, 0));
  EXPECT_EQ("PostRealloc returned a pointer where there is no block", heap.breaches.back());
  EXPECT_TRUE(heap.blocks.empty());
}

}  // namespace
}  // namespace mallocspy

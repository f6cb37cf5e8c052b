#include "allocator/system/wrapped_malloc.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

#include "tests/allocator/fresh_process.h"

namespace mallocspy::wrapped {
namespace {

TEST(WrappedMalloc, GivesUsableBlocks) {
  char* block = static_cast<char*>(Malloc(100));
  ASSERT_NE(block, nullptr);
  std::memset(block, 0x5a, 100);
  block = static_cast<char*>(Realloc(block, 100000));
  ASSERT_NE(block, nullptr);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(block[i], 0x5a);
  Free(block);
  char* zeroed = static_cast<char*>(Calloc(1000));
  ASSERT_NE(zeroed, nullptr);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(zeroed[i], 0);
  Free(zeroed);
}

TEST(WrappedMalloc, Aligns) {
  for (size_t alignment = 16; alignment <= size_t{1} << 20; alignment *= 2) {
    void* block = Memalign(alignment, 10);
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % alignment, 0u);
    Free(block);
  }
}

TEST(WrappedMalloc, HasSizesAndTrimmingOnceBound) {
  InFreshProcess([] {
    void* block = Malloc(100);
    EXPECT_EQ(UsableSize(block), 0u);
    EXPECT_FALSE(Trim(0));
    Bind();
    EXPECT_GE(UsableSize(block), 100u);
    EXPECT_EQ(UsableSize(nullptr), 0u);
    Trim(0);
    Free(block);
  });
}

}  // namespace
}  // namespace mallocspy::wrapped

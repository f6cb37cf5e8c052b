#include "allocator/system/block_cache.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <vector>

namespace mallocspy {
namespace {

void* Wrapped(size_t bytes) { return wrapped::Malloc(BlockCache::Rounded(bytes)); }

TEST(BlockCache, GivesBackWhatItKept) {
  BlockCache cache = {};
  EXPECT_EQ(cache.Take(100), nullptr);
  void* block = Wrapped(100);
  EXPECT_FALSE(cache.Keep(block, 100)) << "not open";
  cache.Open();
  ASSERT_TRUE(cache.Keep(block, 100));
  EXPECT_EQ(cache.Take(200), nullptr);
  EXPECT_EQ(cache.Take(100), block);
  EXPECT_EQ(cache.Take(100), nullptr);
  wrapped::Free(block);
}

// Whatever is taken has room for what was asked: of all sizes that share a place.
TEST(BlockCache, ABlockIsNeverTooSmall) {
  BlockCache cache = {};
  cache.Open();
  for (size_t kept = 8; kept <= 600; ++kept) {
    for (size_t wanted = 1; wanted <= 600; ++wanted) {
      void* block = Wrapped(kept);
      if (!cache.Keep(block, kept)) {
        EXPECT_GT(kept, 512u);
        wrapped::Free(block);
        continue;
      }
      void* taken = cache.Take(wanted);
      if (taken != nullptr) {
        EXPECT_EQ(taken, block);
        ASSERT_LE(BlockCache::Rounded(wanted), BlockCache::Rounded(kept));
        std::memset(taken, 1, wanted);
        wrapped::Free(taken);
      }
      cache.Empty();
    }
  }
}

TEST(BlockCache, KeepsNoMoreThanSoMany) {
  BlockCache cache = {};
  cache.Open();
  size_t kept = 0;
  std::vector<void*> refused;
  for (int i = 0; i < 1000; ++i) {
    void* block = Wrapped(64);
    if (cache.Keep(block, 64)) {
      ++kept;
    } else {
      refused.push_back(block);
    }
  }
  EXPECT_EQ(kept, 64u);
  for (void* block : refused) wrapped::Free(block);
  cache.Close();
  EXPECT_EQ(cache.Take(64), nullptr);
  void* block = Wrapped(64);
  EXPECT_FALSE(cache.Keep(block, 64));
  wrapped::Free(block);
}

}  // namespace
}  // namespace mallocspy

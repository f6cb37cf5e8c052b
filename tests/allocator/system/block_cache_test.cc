#include "allocator/system/block_cache.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <vector>

namespace mallocspy {
namespace {

TEST(BlockCache, GivesBackWhatItKept) {
  BlockCache cache = {};
  cache.Open();
  void* block = cache.Get(100, false);
  ASSERT_NE(block, nullptr);
  std::memset(block, 1, 100);
  cache.Give(block, 100);
  EXPECT_EQ(cache.CountOf(100), 1u);
  EXPECT_EQ(cache.CountOf(200), 0u);
  char* again = static_cast<char*>(cache.Get(100, true));
  EXPECT_EQ(again, block);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(again[i], 0);
  EXPECT_EQ(cache.CountOf(100), 0u);
  cache.Give(again, 100);
  cache.Empty();
  EXPECT_EQ(cache.CountOf(100), 0u);
}

// Whatever is given out has room for what was asked: of all sizes that share a place.
TEST(BlockCache, ABlockIsNeverTooSmall) {
  BlockCache cache = {};
  cache.Open();
  for (size_t kept = 8; kept <= 600; ++kept) {
    for (size_t wanted = 1; wanted <= 600; ++wanted) {
      void* block = cache.Get(kept, false);
      cache.Give(block, kept);
      void* taken = cache.Get(wanted, false);
      std::memset(taken, 1, wanted);
      if (taken == block && kept <= 512) {
        ASSERT_LE(BlockCache::Rounded(wanted), BlockCache::Rounded(kept));
      }
      ASSERT_EQ(BlockCache::AreAlike(kept, wanted),
                kept <= 512 && wanted <= 512 && BlockCache::Rounded(kept) == BlockCache::Rounded(wanted));
      cache.Give(taken, wanted);
      cache.Empty();
    }
  }
}

TEST(BlockCache, KeepsNoMoreThanSoMany) {
  BlockCache cache = {};
  cache.Open();
  std::vector<void*> blocks;
  for (int i = 0; i < 1000; ++i) blocks.push_back(cache.Get(64, false));
  for (void* block : blocks) cache.Give(block, 64);
  EXPECT_EQ(cache.CountOf(64), 64u);
  std::set<void*> taken;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(taken.insert(cache.Get(64, false)).second);
  EXPECT_EQ(cache.CountOf(64), 0u);
  for (void* block : taken) cache.Give(block, 64);
  cache.Close();
}

// A thread that ends, or has not begun, keeps nothing: all goes back to the wrapped malloc.
TEST(BlockCache, KeepsNothingWhileItIsClosed) {
  BlockCache cache = {};
  cache.Open();
  const size_t capacity_before = cache.CountOf(64);
  cache.Give(cache.Get(64, false), 64);
  cache.Close();
  cache.Give(cache.Get(64, false), 64);
  cache.Open();
  EXPECT_EQ(cache.CountOf(64), capacity_before);
  BlockCache unopened = {};
  unopened.Give(unopened.Get(64, false), 64);
  unopened.Open();
  EXPECT_EQ(unopened.CountOf(64), 0u);
}

}  // namespace
}  // namespace mallocspy

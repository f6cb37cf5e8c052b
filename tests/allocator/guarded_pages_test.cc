#include "allocator/guarded_pages.h"

#include <gtest/gtest.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstring>
#include <set>
#include <vector>

#include "allocator/system/os_memory.h"

namespace mallocspy {
namespace {

using ledger::BytesOnly;
using Fault = GuardedPages::Fault;

// Read by the kernel, which raises no signal.
bool IsAccessible(const void* address) {
  char byte;
  const iovec to = {&byte, 1};
  const iovec from = {const_cast<void*>(address), 1};
  return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == 1;
}

class GuardedPagesTest : public testing::TestWithParam<GuardedPages::Side> {
 protected:
  void SetUp() override { ASSERT_TRUE(pages_.Start(GetParam(), kMostLive)); }

  bool behind() const { return GetParam() == GuardedPages::Side::kBehind; }
  char* Take(size_t bytes, size_t alignment = kMinAlignment) {
    BytesOnly why;
    void* block = pages_.Take(bytes, alignment, sizeof(BlockHeader) > alignment ? sizeof(BlockHeader) : alignment, !behind(), &why);
    if (block != nullptr) Make(block, bytes);
    return static_cast<char*>(block);
  }
  BytesOnly WhyNot(size_t bytes, size_t alignment = kMinAlignment) {
    BytesOnly why = BytesOnly::kRoom;
    EXPECT_EQ(pages_.Take(bytes, alignment, alignment, false, &why), nullptr);
    return why;
  }
  void Make(void* block, size_t bytes) {
    WriteHeader(HeaderOf(block), 7, 1, bytes, TraitsOf(Door::kMalloc, !behind()));
    pages_.SetMade(block);
  }
  Fault Look(const char* address) { return pages_.Look(reinterpret_cast<uintptr_t>(address), &place_); }
  bool Open(const char* address) { return pages_.Open(reinterpret_cast<uintptr_t>(address)); }

  static constexpr uint64_t kMostLive = 100;
  GuardedPages pages_;
  GuardedPages::Place place_;
};
INSTANTIATE_TEST_SUITE_P(Sides, GuardedPagesTest, testing::Values(GuardedPages::Side::kBehind, GuardedPages::Side::kBefore),
                         [](const auto& info) { return info.param == GuardedPages::Side::kBehind ? "Behind" : "Before"; });

TEST_P(GuardedPagesTest, ABlockTouchesAnInaccessiblePage) {
  for (const size_t alignment : {16, 64, 512, 4096}) {
    for (const size_t bytes : {0, 1, 15, 16, 27, 4000, 4096, 4097, 10000, 70000, 1000000}) {
      char* block = Take(bytes, alignment);
      ASSERT_NE(block, nullptr) << bytes;
      EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % alignment, 0u) << bytes;
      std::memset(block, 1, bytes);
      const char* end = block + RoundUp(bytes, alignment);
      if (behind()) {
        EXPECT_FALSE(IsAccessible(end)) << bytes;
        if (bytes != 0) {
          EXPECT_TRUE(IsAccessible(end - 1)) << bytes;
        }
      } else {
        EXPECT_TRUE(IsAccessible(block - 16)) << bytes;
        EXPECT_FALSE(IsAccessible(block - (alignment > 16 ? alignment : 16) - 1)) << bytes;
      }
      pages_.Free(block, 0, 0);
    }
  }
}

TEST_P(GuardedPagesTest, WhatIsFreedIsInaccessibleKnownAndZeroedWhenItComesAgain) {
  char* block = Take(500000);
  std::memset(block, 1, 500000);
  EXPECT_EQ(pages_.Of(block).is_freed, false);
  EXPECT_EQ(pages_.Of(block + 16).block, block);
  EXPECT_EQ(pages_.Of(block + 499999).block, block);
  EXPECT_EQ(pages_.Of(block + 500000).block, nullptr);
  EXPECT_EQ(pages_.Of(block - 1).block, nullptr);
  pages_.Free(block, 33, 44);
  EXPECT_FALSE(IsAccessible(block));
  const GuardedPages::Place place = pages_.Of(block);
  EXPECT_EQ(place.block, block);
  EXPECT_TRUE(place.is_freed);
  EXPECT_EQ(place.freed, 33u);
  EXPECT_EQ(place.freed_tid, 44u);
  EXPECT_EQ(place.header.size, 500000u);
  EXPECT_EQ(place.header.stack, 7u);
  for (int i = 0; i < 10000; ++i) {
    char* other = Take(500000);
    ASSERT_NE(other, nullptr);
    if (other == block) {
      EXPECT_GT(i, 500) << "others come first";
      for (int at = 0; at < 500000; ++at) ASSERT_EQ(block[at], 0);
      return;
    }
    pages_.Free(other, 0, 0);
  }
  FAIL() << "it never came again";
}

TEST_P(GuardedPagesTest, NoMoreThanSoManyLive) {
  std::vector<char*> blocks;
  for (uint64_t i = 0; i < kMostLive; ++i) blocks.push_back(Take(100 * i));
  EXPECT_EQ(std::set<char*>(blocks.begin(), blocks.end()).size(), kMostLive);
  EXPECT_EQ(WhyNot(10), BytesOnly::kMappings);
  pages_.Free(blocks[0], 0, 0);
  EXPECT_NE(Take(10), nullptr);
  EXPECT_EQ(WhyNot(10), BytesOnly::kMappings);
}

TEST_P(GuardedPagesTest, TooLargeOrAlignedToMore) {
  EXPECT_EQ(WhyNot((1 << 20) - 15), BytesOnly::kSize);
  EXPECT_EQ(WhyNot(SIZE_MAX - 100), BytesOnly::kSize);
  EXPECT_EQ(WhyNot(10, 8192), BytesOnly::kSize);
  EXPECT_NE(Take((1 << 20) - 64), nullptr);
}

TEST_P(GuardedPagesTest, AFaultIsAboutTheNearestBlock) {
  char* first = Take(64);
  char* second = Take(64);
  char* third = Take(64);
  if (behind()) {
    EXPECT_EQ(Look(second + 64), Fault::kNear);
    EXPECT_EQ(place_.block, second);
    EXPECT_EQ(Look(second + 64 + 4095), Fault::kNear);
    EXPECT_EQ(place_.block, third) << "its header is nearer" << static_cast<const void*>(first);
  } else {
    EXPECT_EQ(Look(second - 17), Fault::kNear);
    EXPECT_EQ(place_.block, second);
    EXPECT_EQ(Look(first - 17), Fault::kNear);
    EXPECT_EQ(place_.block, first) << "the page in front of all";
  }
  EXPECT_EQ(Look(second), Fault::kNone) << "the program's own doing";
  pages_.Free(second, 5, 0);
  EXPECT_EQ(Look(second + 10), Fault::kNear);
  EXPECT_EQ(place_.block, second);
  EXPECT_TRUE(place_.is_freed);
  char* far = Take(900000);
  EXPECT_EQ(Look(far + 20000000), Fault::kNone);
}

TEST_P(GuardedPagesTest, WhatIsOpenedIsClosedWhenTheSlotComesAgain) {
  char* block = Take(500000);
  const char* beside = behind() ? block + 500000 : block - 17;
  EXPECT_EQ(Look(beside), Fault::kNear);
  EXPECT_TRUE(Open(beside));
  EXPECT_TRUE(IsAccessible(beside));
  EXPECT_TRUE(!behind() || Look(beside) == Fault::kAccessible);
  pages_.Free(block, 0, 0);
  EXPECT_TRUE(!behind() || !IsAccessible(beside));
  EXPECT_TRUE(Open(block + 3));
  EXPECT_EQ(block[3], 0);
  EXPECT_EQ(Look(block), Fault::kAccessible);
  block[3] = 1;
  for (int i = 0; i < 10000; ++i) {
    char* other = Take(500000);
    if (other == block) break;
    pages_.Free(other, 0, 0);
  }
  EXPECT_EQ(Look(block), Fault::kNone) << "live again";
  EXPECT_EQ(block[3], 0);
}

TEST_P(GuardedPagesTest, AfterTooManyOpeningsNothingIsGuarded) {
  std::vector<char*> freed;
  for (uint64_t i = 0; i <= kMostLive; ++i) {
    freed.push_back(Take(100));
    pages_.Free(freed.back(), 0, 0);
  }
  for (char* block : freed) EXPECT_TRUE(Open(block));
  char* const never = freed.back() + 5 * 8192;
  EXPECT_TRUE(IsAccessible(never));
  EXPECT_EQ(WhyNot(10), BytesOnly::kMappings);
}

TEST_P(GuardedPagesTest, SlackCarriesTheGuardsPattern) {
  if (!behind()) return;
  char* block = Take(27);
  pages_.WriteSlack(block, 27);
  EXPECT_EQ(pages_.CheckSlack(block, 27), 0u);
  for (size_t at = 27; at < 32; ++at) {
    ++block[at];
    EXPECT_EQ(pages_.CheckSlack(block, 27), at);
    --block[at];
  }
  EXPECT_EQ(pages_.CheckSlack(Take(32), 32), 0u) << "there is none";
}

TEST(GuardedPages, WithoutAddressSpaceThereAreNone) {
  GuardedPages none;
  BytesOnly why = BytesOnly::kSize;
  EXPECT_EQ(none.Take(10, 16, 16, false, &why), nullptr);
  EXPECT_FALSE(none.Holds(&none));
  EXPECT_EQ(none.Of(&none).block, nullptr);
}

}  // namespace
}  // namespace mallocspy

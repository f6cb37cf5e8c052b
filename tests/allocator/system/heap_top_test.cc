#include "allocator/system/heap_top.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "allocator/system/os_memory.h"
#include "tests/allocator/fresh_process.h"

namespace mallocspy {
namespace {

size_t PagesInCore(uintptr_t from, size_t pages) {
  std::vector<unsigned char> in_core(pages);
  if (mincore(reinterpret_cast<void*>(from), pages * kPageBytes, in_core.data()) != 0) return SIZE_MAX;
  size_t count = 0;
  for (const unsigned char page : in_core) count += page & 1;
  return count;
}

// Moves the end of the heap, where no malloc does so meanwhile.
uintptr_t Grow(intptr_t bytes) { return reinterpret_cast<uintptr_t>(sbrk(bytes)); }

uintptr_t FirstPage(uintptr_t address) { return RoundUp(address, kPageBytes); }

TEST(HeapTop, PagesOfAGrowingHeapAreThereBeforeTheyAreUsed) {
  InFreshProcess([] {
    HeapTop top;
    top.Gave(reinterpret_cast<void*>(Grow(0) - 64), 64);  // sees where the heap begins
    const uintptr_t start = FirstPage(Grow(4 << 20));
    top.Gave(reinterpret_cast<void*>(start + (2 << 20)), 100);
    const uintptr_t ahead = start + (2 << 20) + kPageBytes;
    EXPECT_EQ(PagesInCore(ahead, 32), 32u);
    EXPECT_EQ(PagesInCore(ahead + 64 * kPageBytes, 64), 0u) << "not too far ahead";
    EXPECT_EQ(PagesInCore(start, 128), 0u) << "nor behind";
    top.Gave(reinterpret_cast<void*>(ahead), 100);
    EXPECT_EQ(PagesInCore(ahead + 40 * kPageBytes, 64), 0u) << "there was enough";
  });
}

TEST(HeapTop, SmallHeapsAreLeftAlone) {
  InFreshProcess([] {
    HeapTop top;
    top.Gave(reinterpret_cast<void*>(Grow(0) - 64), 64);
    const uintptr_t start = FirstPage(Grow(512 * 1024));
    top.Gave(reinterpret_cast<void*>(start), 100);
    EXPECT_EQ(PagesInCore(start + kPageBytes, 64), 0u);
  });
}

TEST(HeapTop, WhatLiesElsewhereIsLeftAlone) {
  InFreshProcess([] {
    HeapTop top;
    top.Gave(reinterpret_cast<void*>(Grow(0) - 64), 64);
    Grow(4 << 20);
    char* elsewhere = static_cast<char*>(MapPrivate(1 << 20));
    top.Gave(elsewhere, 100);
    top.Gave(nullptr, 100);
    EXPECT_EQ(PagesInCore(reinterpret_cast<uintptr_t>(elsewhere), 256), 0u);
  });
}

// Never past the end of the heap; and after it was trimmed, again.
TEST(HeapTop, FollowsTheEndOfTheHeap) {
  InFreshProcess([] {
    HeapTop top;
    top.Gave(reinterpret_cast<void*>(Grow(0) - 64), 64);
    const uintptr_t start = FirstPage(Grow(4 << 20));
    const uintptr_t near_end = start + (4 << 20) - 16 * kPageBytes;
    top.Gave(reinterpret_cast<void*>(near_end), 100);
    EXPECT_EQ(PagesInCore(near_end + kPageBytes, 14), 14u);
    Grow(-(2 << 20));
    top.Gave(reinterpret_cast<void*>(start + (1 << 20)), 100);
    Grow(2 << 20);
    EXPECT_EQ(PagesInCore(near_end + kPageBytes, 14), 0u) << "it was given back";
    top.Gave(reinterpret_cast<void*>(near_end), 100);
    EXPECT_EQ(PagesInCore(near_end + kPageBytes, 14), 14u);
  });
}

}  // namespace
}  // namespace mallocspy

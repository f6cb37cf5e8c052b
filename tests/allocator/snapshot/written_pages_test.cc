#include "allocator/snapshot/written_pages.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstddef>
#include <utility>
#include <vector>

#include "allocator/system/os_memory.h"

namespace mallocspy {
namespace {

using Parts = std::vector<std::pair<uintptr_t, uintptr_t>>;

Parts PartsOf(const WrittenPages& pages, uintptr_t from, uintptr_t to) {
  Parts parts;
  const auto add = [](uintptr_t start, uintptr_t end, void* context) { static_cast<Parts*>(context)->emplace_back(start, end); };
  pages.ForEach(from, to, add, &parts);
  return parts;
}

char* Reserve(size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  madvise(memory, bytes, MADV_NOHUGEPAGE);
  return static_cast<char*>(memory);
}

TEST(WrittenPages, TellsOfWhatLiesInThemOnly) {
  constexpr size_t kBytes = 1000 * kPageBytes;
  char* memory = Reserve(kBytes);
  ASSERT_NE(memory, nullptr);
  const uintptr_t start = reinterpret_cast<uintptr_t>(memory);
  WrittenPages pages;
  ASSERT_TRUE(pages.Open());
  EXPECT_EQ(PartsOf(pages, start, start + kBytes), Parts());
  for (const size_t page : {3, 4, 5, 511, 512, 700, 999}) memory[page * kPageBytes + 9] = 1;
  const auto at = [start](size_t page, size_t offset = 0) { return start + page * kPageBytes + offset; };
  EXPECT_EQ(PartsOf(pages, start, start + kBytes), (Parts{{at(3), at(6)}, {at(511), at(513)}, {at(700), at(701)}, {at(999), at(1000)}}));
  EXPECT_EQ(PartsOf(pages, at(4, 16), at(700, 24)), (Parts{{at(4, 16), at(6)}, {at(511), at(513)}, {at(700), at(700, 24)}}));
  EXPECT_EQ(PartsOf(pages, at(6), at(511)), Parts());
  EXPECT_EQ(PartsOf(pages, at(3, 8), at(3, 16)), (Parts{{at(3, 8), at(3, 16)}}));
  munmap(memory, kBytes);
}

// More stretches than one answer of the kernel holds.
TEST(WrittenPages, EveryOtherPage) {
  constexpr size_t kPages = 3000;
  char* memory = Reserve(kPages * kPageBytes);
  ASSERT_NE(memory, nullptr);
  const uintptr_t start = reinterpret_cast<uintptr_t>(memory);
  Parts expected;
  for (size_t page = 1; page < kPages; page += 2) {
    memory[page * kPageBytes] = 1;
    expected.emplace_back(start + page * kPageBytes, start + (page + 1) * kPageBytes);
  }
  WrittenPages pages;
  ASSERT_TRUE(pages.Open());
  EXPECT_EQ(PartsOf(pages, start, start + kPages * kPageBytes), expected);
  munmap(memory, kPages * kPageBytes);
}

TEST(WrittenPages, WithoutTheKernelsWordAllIsOnePart) {
  WrittenPages pages;
  EXPECT_FALSE(pages.is_open());
  EXPECT_EQ(PartsOf(pages, 5 * kPageBytes + 8, 9 * kPageBytes), (Parts{{5 * kPageBytes + 8, 9 * kPageBytes}}));
}

}  // namespace
}  // namespace mallocspy

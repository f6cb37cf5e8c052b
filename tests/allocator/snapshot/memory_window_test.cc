#include "allocator/snapshot/memory_window.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "allocator/system/os_memory.h"

namespace mallocspy {
namespace {

class MemoryWindows : public testing::Test {
 protected:
  static constexpr size_t kBytes = 300 * 1000 / kPageBytes * kPageBytes;
  void SetUp() override {
    memory_ = static_cast<unsigned char*>(mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(memory_, MAP_FAILED);
    std::mt19937 random(3);
    for (size_t i = 0; i < kBytes; ++i) memory_[i] = static_cast<unsigned char>(random());
  }
  void TearDown() override { munmap(memory_, kBytes); }
  uintptr_t At(size_t offset) const { return reinterpret_cast<uintptr_t>(memory_) + offset; }

  unsigned char* memory_ = nullptr;
};

TEST_F(MemoryWindows, ShowsWhatIsThere) {
  MemoryWindow window;
  window.Open();
  std::mt19937 random(5);
  for (size_t offset = 0; offset < kBytes;) {
    const size_t bytes = std::min<size_t>(random() % 3 == 0 ? MemoryWindow::kMostBytes : random() % 40, kBytes - offset);
    const unsigned char* seen = window.At(At(offset), bytes);
    ASSERT_EQ(std::memcmp(seen, memory_ + offset, bytes), 0) << offset;
    if (bytes != 0) {
      EXPECT_NE(seen, memory_ + offset) << "read through the kernel";
    }
    offset += random() % 4 == 0 ? bytes + random() % 90000 : bytes;
  }
  EXPECT_EQ(std::memcmp(window.At(At(7), 100), memory_ + 7, 100), 0) << "backwards, too";
}

TEST_F(MemoryWindows, EndsWithTheMapping) {
  munmap(memory_ + kBytes - kPageBytes, kPageBytes);
  MemoryWindow window;
  window.Open();
  const size_t last = kBytes - kPageBytes - 24;
  EXPECT_EQ(std::memcmp(window.At(At(last), 24), memory_ + last, 24), 0);
}

TEST_F(MemoryWindows, WhatIsTooMuchOrNotOpenIsReadWhereItIs) {
  MemoryWindow window;
  EXPECT_EQ(window.At(At(64), 8), memory_ + 64);
  window.Open();
  EXPECT_EQ(window.At(At(64), MemoryWindow::kMostBytes + 1), memory_ + 64);
}

}  // namespace
}  // namespace mallocspy

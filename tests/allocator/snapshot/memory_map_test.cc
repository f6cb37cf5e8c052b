#include "allocator/snapshot/memory_map.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include "allocator/system/os_memory.h"

namespace mallocspy {
namespace {

int variable = 1;

TEST(MemoryMap, KnowsWhatLiesWhere) {
  char* anonymous = static_cast<char*>(mmap(nullptr, 3 * kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  char* shared = static_cast<char*>(mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_EQ(mprotect(anonymous + kPageBytes, kPageBytes, PROT_NONE), 0);
  MemoryMap map;
  ASSERT_TRUE(map.Read());
  const auto find = [&map](const void* place) { return map.Find(reinterpret_cast<uintptr_t>(place)); };
  int local = 0;
  ASSERT_NE(find(&local), nullptr);
  EXPECT_EQ(find(&local)->kind, Mapping::kStack);
  ASSERT_NE(find(&variable), nullptr);
  EXPECT_TRUE(find(&variable)->writable && !find(&variable)->shared);
  ASSERT_NE(find(reinterpret_cast<void*>(&std::abort)), nullptr);
  EXPECT_TRUE(find(reinterpret_cast<void*>(&std::abort))->executable);
#if !defined(MALLOCSPY_SANITIZED)  // whose malloc does without
  void* block = std::malloc(1);
  ASSERT_NE(find(static_cast<char*>(sbrk(0)) - 1), nullptr);
  EXPECT_EQ(find(static_cast<char*>(sbrk(0)) - 1)->kind, Mapping::kHeap);
  std::free(block);
#endif
  ASSERT_NE(find(anonymous), nullptr);
  EXPECT_EQ(find(anonymous)->kind, Mapping::kAnonymous);
  EXPECT_TRUE(find(anonymous)->readable && find(anonymous)->writable && !find(anonymous)->executable);
  EXPECT_FALSE(find(anonymous + kPageBytes)->readable);
  EXPECT_TRUE(find(anonymous + 2 * kPageBytes)->writable);
  ASSERT_NE(find(shared), nullptr);
  EXPECT_TRUE(find(shared)->shared);
  EXPECT_EQ(find(shared)->kind, Mapping::kAnonymous);
  EXPECT_EQ(find(nullptr), nullptr);
  EXPECT_EQ(map.Find(UINTPTR_MAX / 2), nullptr);
  uintptr_t end = 0;
  for (const Mapping& mapping : map) {
    EXPECT_GE(mapping.start, end);
    EXPECT_GT(mapping.end, mapping.start);
    end = mapping.end;
  }
  munmap(anonymous, 3 * kPageBytes);
  munmap(shared, kPageBytes);
  ASSERT_TRUE(map.Read()) << "again";
  EXPECT_EQ(find(shared), nullptr);
}

// More than one read of the kernel's text.
TEST(MemoryMap, ManyMappings) {
  constexpr size_t kPages = 8000;
  char* memory = static_cast<char*>(mmap(nullptr, kPages * kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  for (size_t i = 0; i < kPages; i += 2) ASSERT_EQ(mprotect(memory + i * kPageBytes, kPageBytes, PROT_READ), 0);
  MemoryMap map;
  ASSERT_TRUE(map.Read());
  EXPECT_GT(map.size(), kPages - 2);
  for (size_t i = 0; i < kPages; ++i) {
    const Mapping* mapping = map.Find(reinterpret_cast<uintptr_t>(memory) + i * kPageBytes + 7);
    ASSERT_NE(mapping, nullptr);
    ASSERT_EQ(mapping->writable, i % 2 == 1);
  }
  munmap(memory, kPages * kPageBytes);
}

}  // namespace
}  // namespace mallocspy

#include "allocator/system/own_memory.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

#include "allocator/system/os_memory.h"

namespace mallocspy {
namespace {

std::set<uintptr_t> Starts() {
  std::set<uintptr_t> starts;
  ForEachOwnMemory([](uintptr_t start, uintptr_t, void* context) { static_cast<std::set<uintptr_t>*>(context)->insert(start); }, &starts);
  return starts;
}

TEST(OwnMemory, WhatIsMappedIsKnownUntilItIsUnmapped) {
  std::vector<void*> mapped;
  for (size_t i = 1; i <= 1000; ++i) mapped.push_back(MapPrivate(i * 100));
  const std::set<uintptr_t> known = Starts();
  for (void* memory : mapped) EXPECT_TRUE(known.contains(reinterpret_cast<uintptr_t>(memory)));
  for (size_t i = 0; i < mapped.size(); ++i) Unmap(mapped[i], (i + 1) * 100);
  const std::set<uintptr_t> left = Starts();
  for (void* memory : mapped) EXPECT_FALSE(left.contains(reinterpret_cast<uintptr_t>(memory)));
  EXPECT_TRUE(KnowsAllOwnMemory());
}

TEST(OwnMemory, EndsAreWholePages) {
  void* memory = MapPrivate(5000);
  const uintptr_t start = reinterpret_cast<uintptr_t>(memory);
  struct Wanted {
    uintptr_t start;
    uintptr_t end;
  } wanted = {start, 0};
  ForEachOwnMemory(
      [](uintptr_t from, uintptr_t to, void* context) {
        Wanted* wanted = static_cast<Wanted*>(context);
        if (from == wanted->start) wanted->end = to;
      },
      &wanted);
  EXPECT_EQ(wanted.end, start + 2 * kPageBytes);
  Unmap(memory, 5000);
}

TEST(OwnMemory, ManyThreadsAtATime) {
  const size_t before = Starts().size();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int round = 0; round < 200; ++round) {
        void* memory[10];
        for (void*& one : memory) one = MapPrivate(4096);
        for (void* one : memory) Unmap(one, 4096);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(Starts().size(), before + 8) << "but for pages of the list itself";
}

}  // namespace
}  // namespace mallocspy

#include "allocator/snapshot/reachability.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <bitset>
#include <cstring>
#include <random>
#include <vector>

#include "allocator/process.h"
#include "allocator/wrapping_allocator.h"
#include "tests/allocator/fresh_process.h"

namespace mallocspy {
namespace {

using ledger::Reach;
using ledger::RootKind;

// Memory that is no block: where marking begins.
class Roots {
 public:
  explicit Roots(size_t words) : words_(words) {}
  uintptr_t& operator[](size_t index) { return words_[index]; }
  RootRange range() {
    const uintptr_t start = reinterpret_cast<uintptr_t>(words_.data());
    return {start, start + words_.size() * sizeof(uintptr_t), RootKind::kGlobal, 0};
  }

 private:
  std::vector<uintptr_t> words_;
};

void* Block(size_t bytes, Door door = Door::kMalloc) {
  void* block = g_heap.Allocate(bytes, {.door = door, .zeroed = true});
  EXPECT_NE(block, nullptr);
  return block;
}
uintptr_t At(const void* block, size_t offset = 0) { return reinterpret_cast<uintptr_t>(block) + offset; }
uintptr_t& Word(void* block, size_t index) { return static_cast<uintptr_t*>(block)[index]; }

// Marks from `roots`; classes are asked by block.
class Marked {
 public:
  explicit Marked(Roots* roots) : blocks_(map_) {
    EXPECT_TRUE(map_.Read());
    EXPECT_TRUE(blocks_.Prepare());
    blocks_.MarkFrom(roots->range());
    EXPECT_TRUE(blocks_.Finish());
  }
  uint32_t Of(const void* block) const {
    uint64_t offset = 1;
    const uint32_t found = blocks_.Find(At(block), &offset);
    EXPECT_EQ(offset, 0u);
    return found;
  }
  Reach ClassOf(const void* block) const { return blocks_.ClassOf(Of(block)); }
  const Reachability& blocks() const { return blocks_; }

 private:
  MemoryMap map_;
  Reachability blocks_;
};

TEST(Reachability, FindsTheBlockThatHoldsAnAddress) {
  InFreshProcess([] {
    ASSERT_TRUE(EnsureStarted());
    std::vector<void*> blocks;
    for (const size_t bytes : {0, 1, 15, 16, 100, 5000, 100000, 3000000}) blocks.push_back(Block(bytes));
    Roots roots(1);
    const Marked marked(&roots);
    ASSERT_EQ(marked.blocks().size(), blocks.size());
    for (void* block : blocks) {
      const size_t size = g_heap.SizeOf(block);
      const uint32_t number = marked.Of(block);
      ASSERT_NE(number, Reachability::kNoBlock);
      EXPECT_EQ(marked.blocks().AddressOf(number), At(block));
      EXPECT_EQ(marked.blocks().SizeOf(number), size);
      uint64_t offset;
      for (const size_t inside : {size_t{1}, size / 2, size - 1}) {
        if (inside >= size) continue;
        EXPECT_EQ(marked.blocks().Find(At(block, inside), &offset), number);
        EXPECT_EQ(offset, inside);
      }
      EXPECT_NE(marked.blocks().Find(At(block, size == 0 ? 1 : size), &offset), number) << "one past its end";
      EXPECT_NE(marked.blocks().Find(At(block) - 1, &offset), number);
    }
    uint64_t offset;
    for (const uintptr_t address : {uintptr_t{0}, uintptr_t{1}, uintptr_t{1} << 46, ~uintptr_t{0}, At(&offset)}) {
      EXPECT_EQ(marked.blocks().Find(address, &offset), Reachability::kNoBlock) << address;
    }
  });
}

TEST(Reachability, WithoutBlocksThereIsNothingToMark) {
  InFreshProcess([] {
    ASSERT_TRUE(EnsureStarted());
    Roots roots(4);
    EXPECT_EQ(Marked(&roots).blocks().size(), 0u);
  });
}

TEST(Reachability, ChainsFromARoot) {
  InFreshProcess([] {
    ASSERT_TRUE(EnsureStarted());
    void* first = Block(64);
    void* second = Block(64);
    void* inner = Block(64);
    void* behind_inner = Block(64);
    void* lost = Block(64);
    Roots roots(3);
    roots[1] = At(first);
    Word(first, 3) = At(second);
    roots[2] = At(inner, 20);
    Word(inner, 0) = At(behind_inner);
    Word(behind_inner, 0) = At(second);
    Word(lost, 1) = At(lost);
    const Marked marked(&roots);
    EXPECT_EQ(marked.ClassOf(first), Reach::kReachable);
    EXPECT_EQ(marked.ClassOf(second), Reach::kReachable) << "also from elsewhere";
    EXPECT_EQ(marked.ClassOf(inner), Reach::kPossible);
    EXPECT_EQ(marked.ClassOf(behind_inner), Reach::kPossible);
    EXPECT_EQ(marked.ClassOf(lost), Reach::kDefinite) << "to itself";
    const Reachability::Root& root = marked.blocks().root(marked.blocks().HolderOf(marked.Of(second)));
    EXPECT_EQ(root.address, At(&roots[1])) << "where the chain begins";
    EXPECT_EQ(root.kind, RootKind::kGlobal);
    EXPECT_EQ(marked.blocks().root(marked.blocks().HolderOf(marked.Of(behind_inner))).address, At(&roots[2]));
  });
}

TEST(Reachability, OnlyTheRequestedBytesAreSearched) {
  InFreshProcess([] {
    ASSERT_TRUE(EnsureStarted());
    void* held = Block(32);
    void* short_one = Block(20);
    Roots roots(1);
    roots[0] = At(short_one);
    uintptr_t pointer = At(held);
    std::memcpy(static_cast<char*>(short_one) + 12, &pointer, 8);  // at no multiple of eight
    EXPECT_EQ(Marked(&roots).ClassOf(held), Reach::kDefinite);
    void* freed = Block(64);
    void* in_freed = Block(64);
    Word(freed, 2) = At(in_freed);
    Word(short_one, 0) = At(freed);
    g_heap.Deallocate(freed, {.door = Door::kMalloc});
    EXPECT_EQ(Marked(&roots).ClassOf(in_freed), Reach::kDefinite) << "a freed block holds nothing";
  });
}

TEST(Reachability, ACycleIsDefiniteOnceAndATreeByItsRoot) {
  InFreshProcess([] {
    ASSERT_TRUE(EnsureStarted());
    void* cycle[5];
    for (void*& one : cycle) one = Block(32);
    for (int i = 0; i < 5; ++i) Word(cycle[i], 1) = At(cycle[(i + 1) % 5]);
    void* hanging = Block(32);
    Word(cycle[2], 0) = At(hanging);
    // The tree's leaves are made first: whoever is looked at first is not the root.
    void* tree[7];
    for (void*& one : tree) one = Block(32);
    for (int i = 1; i < 7; ++i) Word(tree[6 - (i - 1) / 2], static_cast<size_t>(i % 2)) = At(tree[6 - i]);
    Roots roots(1);
    const Marked marked(&roots);
    int definite = 0;
    uint32_t leader = 0;
    for (void* one : cycle) {
      if (marked.ClassOf(one) == Reach::kDefinite) {
        ++definite;
        leader = marked.Of(one);
      }
    }
    EXPECT_EQ(definite, 1);
    for (void* one : cycle) EXPECT_TRUE(marked.Of(one) == leader || marked.blocks().HolderOf(marked.Of(one)) == leader);
    EXPECT_EQ(marked.ClassOf(hanging), Reach::kIndirect);
    EXPECT_EQ(marked.blocks().HolderOf(marked.Of(hanging)), leader);
    EXPECT_EQ(marked.ClassOf(tree[6]), Reach::kDefinite);
    for (int i = 0; i < 6; ++i) {
      EXPECT_EQ(marked.ClassOf(tree[i]), Reach::kIndirect) << i;
      EXPECT_EQ(marked.blocks().HolderOf(marked.Of(tree[i])), marked.Of(tree[6])) << i;
    }
  });
}

TEST(Reachability, WhatStandsForAStart) {
  InFreshProcess([] {
    ASSERT_TRUE(EnsureStarted());
    void* array = Block(8 + 10 * 12, Door::kNewArray);
    Word(array, 0) = 10;
    void* no_array = Block(8 + 10 * 12, Door::kNewArray);
    Word(no_array, 0) = 11;
    void* text = Block(24 + 11, Door::kNew);  // length 5, room for 10 and a NUL
    Word(text, 0) = 5;
    Word(text, 1) = 10;
    void* no_text = Block(24 + 10, Door::kNew);
    Word(no_text, 0) = 5;
    Word(no_text, 1) = 10;
    Roots roots(4);
    roots[0] = At(array, 8);
    roots[1] = At(no_array, 8);
    roots[2] = At(text, 24);
    roots[3] = At(no_text, 24);
    const Marked marked(&roots);
    EXPECT_EQ(marked.ClassOf(array), Reach::kReachable);
    EXPECT_EQ(marked.ClassOf(no_array), Reach::kPossible);
    EXPECT_EQ(marked.ClassOf(text), Reach::kReachable);
    EXPECT_EQ(marked.ClassOf(no_text), Reach::kPossible);
  });
}

TEST(Reachability, LargeBlocksAreSearchedWhereTheyWereWritten) {
  InFreshProcess([] {
    ASSERT_TRUE(EnsureStarted());
    void* large = Block(size_t{64} << 20);
    void* first = Block(32);
    void* last = Block(32);
    Word(large, 0) = At(first);
    Word(large, (size_t{64} << 20) / 8 - 1) = At(last);
    Roots roots(1);
    roots[0] = At(large);
    const Marked marked(&roots);
    EXPECT_EQ(marked.ClassOf(first), Reach::kReachable);
    EXPECT_EQ(marked.ClassOf(last), Reach::kReachable);
  });
}

// A terabyte that is reserved and hardly used, as garbage-collected languages and sanitizers have: it ends only if what was never written is
// skipped without looking at each page.
TEST(Reachability, HugeReservedRootsAreSearchedWhereTheyWereWritten) {
  InFreshProcess([] {
    ASSERT_TRUE(EnsureStarted());
    constexpr size_t kBytes = size_t{1} << 40;
    void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) GTEST_SKIP() << "no address space of that size";
    void* held = Block(64);
    void* held_at_end = Block(64);
    void* lost = Block(64);
    for (int i = 1; i < 8; ++i) Word(memory, kBytes / 64 * static_cast<size_t>(i)) = 1;
    Word(memory, kBytes / 16 + 3) = At(held);
    Word(memory, kBytes / 8 - 1) = At(held_at_end);
    MemoryMap map;
    ASSERT_TRUE(map.Read());
    Reachability blocks(map);
    ASSERT_TRUE(blocks.Prepare());
    blocks.MarkFrom({At(memory), At(memory) + kBytes, RootKind::kMapping, 0});
    ASSERT_TRUE(blocks.Finish());
    uint64_t offset;
    EXPECT_EQ(blocks.ClassOf(blocks.Find(At(held), &offset)), Reach::kReachable);
    EXPECT_EQ(blocks.ClassOf(blocks.Find(At(held_at_end), &offset)), Reach::kReachable);
    EXPECT_EQ(blocks.ClassOf(blocks.Find(At(lost), &offset)), Reach::kDefinite);
    EXPECT_EQ(blocks.root(blocks.HolderOf(blocks.Find(At(held), &offset))).address, At(memory) + (kBytes / 16 + 3) * sizeof(uintptr_t));
    munmap(memory, kBytes);
  });
}

TEST(Reachability, ManyRootsShareOneWithoutAnAddress) {
  InFreshProcess([] {
    ASSERT_TRUE(EnsureStarted());
    constexpr size_t kBlocks = 70000;
    Roots roots(kBlocks);
    std::vector<void*> blocks;
    for (size_t i = 0; i < kBlocks; ++i) {
      blocks.push_back(Block(8));
      roots[i] = At(blocks.back());
    }
    const Marked marked(&roots);
    for (size_t i = 0; i < kBlocks; ++i) {
      ASSERT_EQ(marked.ClassOf(blocks[i]), Reach::kReachable);
      const Reachability::Root& root = marked.blocks().root(marked.blocks().HolderOf(marked.Of(blocks[i])));
      ASSERT_TRUE(root.address == At(&roots[i]) || root.address == 0);
      ASSERT_EQ(root.kind, RootKind::kGlobal);
    }
  });
}

// Any graph, against what the words say: closures by brute force.
TEST(Reachability, RandomGraphs) {
  InFreshProcess([] {
    ASSERT_TRUE(EnsureStarted());
    constexpr size_t kBlocks = 60;
    constexpr size_t kWords = 6;
    using Set = std::bitset<kBlocks>;
    std::mt19937 random(11);
    std::vector<void*> blocks;
    for (size_t i = 0; i < kBlocks; ++i) blocks.push_back(Block(kWords * 8));
    for (int round = 0; round < 300; ++round) {
      Roots roots(8);
      std::vector<Set> to_start(kBlocks), to_any(kBlocks);
      Set root_starts, root_any;
      const unsigned density = random() % 5;
      const auto word = [&](Set* starts, Set* any) -> uintptr_t {
        if (random() % 6 >= density) return random() % 3 == 0 ? random() : 0;
        const size_t target = random() % kBlocks;
        const bool inside = random() % 4 == 0;
        any->set(target);
        if (!inside) starts->set(target);
        return At(blocks[target], inside ? 33 : 0);  // where no convention of C++ applies
      };
      for (size_t i = 0; i < kBlocks; ++i) {
        for (size_t w = 0; w < kWords; ++w) Word(blocks[i], w) = word(&to_start[i], &to_any[i]);
      }
      for (size_t i = 0; i < 8; ++i) roots[i] = random() % 3 == 0 ? word(&root_starts, &root_any) : 0;
      const auto closure = [](Set from, const std::vector<Set>& edges) {
        for (Set before; before != from;) {
          before = from;
          for (size_t i = 0; i < kBlocks; ++i) {
            if (from[i]) from |= edges[i];
          }
        }
        return from;
      };
      const Set reachable = closure(root_starts, to_start);
      Set hit = root_any | reachable;
      for (size_t i = 0; i < kBlocks; ++i) {
        if (reachable[i]) hit |= to_any[i];
      }
      const Set possible = closure(hit, to_any) & ~reachable;
      const Set lost = ~(reachable | possible);
      const Marked marked(&roots);
      std::vector<Set> from(kBlocks);
      for (size_t i = 0; i < kBlocks; ++i) from[i] = closure(Set().set(i), to_any);
      for (size_t i = 0; i < kBlocks; ++i) {
        const Reach is = marked.ClassOf(blocks[i]);
        ASSERT_EQ(is == Reach::kReachable, reachable[i]) << "round " << round << " block " << i;
        ASSERT_EQ(is == Reach::kPossible, possible[i]) << "round " << round << " block " << i;
        if (!lost[i]) continue;
        ASSERT_TRUE(is == Reach::kDefinite || is == Reach::kIndirect);
        for (size_t k = 0; k < kBlocks; ++k) {
          if (!lost[k] || k == i || !from[k][i]) continue;
          // Of those that lead to each other one is definite, at most; of those that only lead here, this one is not.
          if (!from[i][k]) {
            ASSERT_EQ(is, Reach::kIndirect) << "round " << round << " block " << i << " from " << k;
          } else {
            ASSERT_FALSE(is == Reach::kDefinite && marked.ClassOf(blocks[k]) == Reach::kDefinite);
          }
        }
        if (is == Reach::kIndirect) {
          const uint32_t leader = marked.blocks().HolderOf(marked.Of(blocks[i]));
          ASSERT_EQ(marked.blocks().ClassOf(leader), Reach::kDefinite);
          bool leads = false;
          for (size_t k = 0; k < kBlocks; ++k) leads = leads || (marked.Of(blocks[k]) == leader && from[k][i]);
          ASSERT_TRUE(leads) << "round " << round << " block " << i;
        }
      }
    }
  });
}

}  // namespace
}  // namespace mallocspy

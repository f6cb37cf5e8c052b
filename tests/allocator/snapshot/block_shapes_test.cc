#include "allocator/snapshot/block_shapes.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "allocator/process.h"
#include "allocator/wrapping_allocator.h"
#include "tests/allocator/fresh_process.h"

namespace mallocspy {
namespace {

using ledger::Shape;

uintptr_t* Block(size_t bytes) {
  void* block = g_heap.Allocate(bytes, {.door = Door::kMalloc, .zeroed = true});
  EXPECT_NE(block, nullptr);
  return static_cast<uintptr_t*>(block);
}

// Each points to the next and the previous one.
void MakeRing(const std::vector<uintptr_t*>& members) {
  for (size_t i = 0; i < members.size(); ++i) {
    members[i][0] = reinterpret_cast<uintptr_t>(members[(i + 1) % members.size()]);
    members[(i + 1) % members.size()][1] = reinterpret_cast<uintptr_t>(members[i]);
  }
}

// The shapes of all blocks, as their first words tell them.
class Shapes {
 public:
  Shapes() : blocks_(map_), shapes_(blocks_, map_) {
    EXPECT_TRUE(map_.Read());
    EXPECT_TRUE(blocks_.Prepare());
    EXPECT_TRUE(blocks_.Finish());
    EXPECT_TRUE(shapes_.Prepare());
    for (uint32_t i = 0; i < blocks_.size(); ++i) {
      if (blocks_.SizeOf(i) >= sizeof(uintptr_t)) shapes_.NoteStart(i, *reinterpret_cast<const uintptr_t*>(blocks_.AddressOf(i)));
    }
  }
  Shape Of(const void* block) const {
    uint64_t offset;
    return shapes_.ShapeOf(blocks_.Find(reinterpret_cast<uintptr_t>(block), &offset));
  }
  size_t Count(const std::vector<uintptr_t*>& blocks, Shape shape) const {
    size_t count = 0;
    for (const uintptr_t* block : blocks) count += Of(block) == shape ? 1 : 0;
    return count;
  }

 private:
  MemoryMap map_;
  Reachability blocks_;
  BlockShapes shapes_;
};

template <typename Body>
void InProcess(Body body) {
  InFreshProcess([&] {
    ASSERT_TRUE(EnsureStarted());
    body();
  });
}

// Blocks of `bytes` with `value` each, and a list of `list_bytes` last.
std::vector<uintptr_t*> ListOf(size_t nodes, size_t bytes, uintptr_t value, size_t list_bytes) {
  std::vector<uintptr_t*> members;
  for (size_t i = 0; i < nodes; ++i) members.push_back(Block(bytes));
  for (uintptr_t* member : members) member[2] = value;
  members.push_back(Block(list_bytes));
  members.back()[2] = nodes;
  MakeRing(members);
  return members;
}

TEST(BlockShapes, AListInABlockIsNoneOfItsNodes) {
  InProcess([] {
    const auto members = ListOf(10, 24, 0, 24);
    const Shapes shapes;
    EXPECT_EQ(shapes.Of(members.back()), Shape::kUnknown);
    EXPECT_EQ(shapes.Count(members, Shape::kListNode), 10u);
  });
}

TEST(BlockShapes, AListIsToldFromNodesOfItsLengthByItsSize) {
  InProcess([] {
    const auto larger = ListOf(5, 32, 5, 200);
    const auto smaller = ListOf(7, 100, 7, 24);
    const auto alike = ListOf(6, 24, 6, 24);
    const Shapes shapes;
    EXPECT_EQ(shapes.Of(larger.back()), Shape::kUnknown);
    EXPECT_EQ(shapes.Count(larger, Shape::kListNode), 5u);
    EXPECT_EQ(shapes.Of(smaller.back()), Shape::kUnknown);
    EXPECT_EQ(shapes.Count(smaller, Shape::kListNode), 7u);
    EXPECT_EQ(shapes.Count(alike, Shape::kListNode), 7u) << "nobody can tell";
  });
}

TEST(BlockShapes, AListOutsideOfTheHeapHasNodesOnly) {
  InProcess([] {
    auto members = ListOf(4, 24, 5, 24);  // five with the last
    uintptr_t list[3] = {0, 0, 5};
    members.push_back(list);
    MakeRing(members);
    members.pop_back();
    const Shapes shapes;
    EXPECT_EQ(shapes.Count(members, Shape::kListNode), 5u);
  });
}

TEST(BlockShapes, ARingWithoutAListIsOfNodes) {
  InProcess([] {
    const auto members = ListOf(8, 40, 0, 40);
    members.back()[2] = 1234;
    const Shapes shapes;
    EXPECT_EQ(shapes.Count(members, Shape::kListNode), 9u);
  });
}

TEST(BlockShapes, ABrokenRingIsLeftAlone) {
  InProcess([] {
    const auto members = ListOf(100, 24, 0, 24);
    members[50][0] = 8;  // nowhere
    const auto self = ListOf(3, 24, 0, 24);
    self[1][0] = reinterpret_cast<uintptr_t>(self[1]);
    const Shapes shapes;
    EXPECT_EQ(shapes.Of(members[50]), Shape::kUnknown);
    EXPECT_EQ(shapes.Of(members[51]), Shape::kUnknown);
    EXPECT_EQ(shapes.Of(members[20]), Shape::kListNode) << "its neighbours point to it";
    EXPECT_EQ(shapes.Of(self[1]), Shape::kUnknown);
  });
}

// Each walk meets the break only after many steps: all of them together must not be much more than there are blocks.
TEST(BlockShapes, LongBrokenRingsTakeNoLongTime) {
  InProcess([] {
    const auto members = ListOf(200000, 24, 0, 24);
    members[100000][0] = 8;
    const Shapes shapes;
    EXPECT_GT(shapes.Count(members, Shape::kListNode), 199000u);
  });
}

}  // namespace
}  // namespace mallocspy

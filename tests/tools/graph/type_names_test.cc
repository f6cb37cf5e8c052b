#include "tools/graph/type_names.h"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/tools/graph/drawn_graph.h"
#include "tests/tools/graph/this_program.h"

namespace depot {

struct Cargo {
  virtual ~Cargo() = default;
};
struct Crate : Cargo {
  int weight = 0;
};
namespace {
struct Secret : Cargo {};
}  // namespace

}  // namespace depot

namespace mallocspy {
namespace {

uint64_t TableOf(const depot::Cargo& cargo) {
  uint64_t table = 0;
  std::memcpy(&table, static_cast<const void*>(&cargo), sizeof(table));
  return table - LoadBias();
}

TEST(TypeNames, AreThoseOfTheTablesSymbols) {
  DrawnGraph drawn;
  for (int i = 0; i < 3; ++i) drawn.Block(16);
  Snapshot& snapshot = drawn.snapshot();
  const uint32_t program = AddThisProgram(&snapshot, &snapshot);
  snapshot.types.push_back({program, TableOf(depot::Crate())});
  snapshot.types.push_back({program, TableOf(depot::Secret())});
  snapshot.types.push_back({program, 1});
  for (uint16_t i = 0; i < 3; ++i) {
    snapshot.blocks[i].shape = ledger::Shape::kObject;
    snapshot.blocks[i].type = static_cast<uint16_t>(i + 1);
  }
  FrameNamer namer(false);
  TypeNames names(snapshot, &namer);
  EXPECT_EQ(names.Of(snapshot.blocks[0]), "depot::Crate");
  EXPECT_EQ(names.Of(snapshot.blocks[1]), "depot::(anonymous namespace)::Secret");
  EXPECT_EQ(names.Of(snapshot.blocks[2]).substr(0, 10), "(class at ");
  EXPECT_NE(names.Of(snapshot.blocks[2]).find("+0x1)"), std::string::npos);
}

TEST(TypeNames, ShapesAreGuesses) {
  DrawnGraph drawn;
  Snapshot& snapshot = drawn.snapshot();
  FrameNamer namer(false);
  TypeNames names(snapshot, &namer);
  SnapshotBlock block;
  EXPECT_EQ(names.Of(block), "(unknown)");
  block.shape = ledger::Shape::kListNode;
  EXPECT_EQ(names.Of(block), "(std::list node)");
  block.shape = ledger::kLastShape;
  EXPECT_EQ(names.Of(block), "(std::deque map)");
  EXPECT_LT(names.KindOf(block), names.kinds());
  EXPECT_EQ(ShapeWord(ledger::Shape::kTreeNode), "tree-node");
}

}  // namespace
}  // namespace mallocspy

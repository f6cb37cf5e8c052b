// What a block is: the class of an object, or what it seems to be.
//
//   depot::Session          an object, by the symbol of its table of virtual functions
//   (class at prog+0x3d10)  one whose module has no such symbol
//   (std::list node)        a guess, by what the block holds and what points to it
//   (unknown)
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tools/reader/snapshot.h"
#include "tools/verdict/frame_namer.h"

namespace mallocspy {

// "(std::list node)", ...; of an object without a known class "(object)".
absl::string_view NameOf(ledger::Shape shape);
// One word for it, as filters have it: "list-node", ...; "unknown".
absl::string_view ShapeWord(ledger::Shape shape);
// What leads to it, as filters and tables have it: "definite", ...; "unknown" if the blocks were not searched.
absl::string_view ReachWord(ledger::Reach reach);

// Looks each class up once, when it is first asked for.
class TypeNames {
 public:
  TypeNames(const Snapshot& snapshot, FrameNamer* namer) : snapshot_(snapshot), namer_(*namer) {}

  const std::string& Of(const SnapshotBlock& block) { return OfKind(KindOf(block)); }

  // A number below kinds() for each class and each shape: blocks of one kind have one name. Kinds of one name may be several.
  uint32_t KindOf(const SnapshotBlock& block) const {
    return block.type != 0 ? static_cast<uint32_t>(ledger::kLastShape) + block.type : static_cast<uint32_t>(block.shape);
  }
  uint32_t kinds() const { return static_cast<uint32_t>(ledger::kLastShape) + static_cast<uint32_t>(snapshot_.types.size()); }
  const std::string& OfKind(uint32_t kind);

 private:
  std::string Find(uint32_t kind) const;

  const Snapshot& snapshot_;
  FrameNamer& namer_;
  std::vector<std::string> names_;  // by kind; empty: not yet looked up
};

}  // namespace mallocspy

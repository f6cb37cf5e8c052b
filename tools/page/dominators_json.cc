#include "tools/page/dominators_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "tools/graph/folded_dominators.h"
#include "tools/graph/object_graph.h"
#include "tools/graph/root_holders.h"
#include "tools/graph/type_names.h"
#include "tools/verdict/stack_line.h"
#include "tools/wording/count.h"

namespace mallocspy {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostNodes = 20000;

}  // namespace

Json DominatorsJson(const Snapshot& snapshot, FrameNamer* namer, StackTree* texts) {
  const RootHolders holders(snapshot, namer);
  const ObjectGraph graph(snapshot, holders.of_roots(), static_cast<uint32_t>(holders.all().size()));
  const DominatorTree tree(snapshot, graph);
  TypeNames types(snapshot, namer);
  // Blocks of one class or shape that one stack made are alike; no holder is like another one.
  const auto kind_of = [&](uint32_t node) -> uint64_t {
    if (!graph.IsBlock(node)) return uint64_t{1} << 63 | node;
    const SnapshotBlock& block = snapshot.blocks[node];
    return uint64_t{types.KindOf(block)} << 32 | block.stack;
  };
  const auto label_of = [&](const FoldedDominator& folded) -> std::string {
    if (folded.example == FoldedDominator::kOthers) return absl::StrCat(Count(folded.nodes, "other"));
    if (folded.example == tree.top()) return "all";
    if (!graph.IsBlock(folded.example)) return holders.all()[folded.example - graph.blocks()].name;
    const SnapshotBlock& block = snapshot.blocks[folded.example];
    const bool lost = block.reach == ledger::Reach::kDefinite || block.reach == ledger::Reach::kIndirect;
    const bool known = block.type != 0 || block.shape != ledger::Shape::kUnknown;
    return absl::StrCat(lost ? "lost: " : "", known ? absl::StrCat(types.Of(block), " ") : "",
                        StackLine(namer->Name(snapshot, snapshot.stacks[block.stack].node)));
  };
  Json json = {{"parent", Json::array()}, {"label", Json::array()}, {"nodes", Json::array()}, {"bytes", Json::array()}, {"blocks", Json::array()}};
  uint32_t index = 0;
  for (const FoldedDominator& folded : FoldDominators(tree, kind_of, kMostNodes)) {
    json["parent"].push_back(index++ - folded.parent);
    json["label"].push_back(texts->AddText(label_of(folded)));
    json["nodes"].push_back(folded.nodes);
    json["bytes"].push_back(folded.bytes);
    json["blocks"].push_back(folded.blocks);
  }
  return json;
}

}  // namespace mallocspy

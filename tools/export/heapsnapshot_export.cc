#include "tools/export/heapsnapshot_export.h"

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "tools/export/block_name.h"
#include "tools/graph/type_names.h"
#include "tools/export/held_blocks.h"
#include "tools/export/json_writing.h"
#include "tools/export/trace_tree.h"
#include "tools/verdict/leak_groups.h"

namespace mallocspy {
namespace {

constexpr char kMeta[] =
    R"({"node_fields":["type","name","id","self_size","edge_count","trace_node_id","detachedness"],)"
    R"("node_types":[["hidden","array","string","object","code","closure","regexp","number","native","synthetic",)"
    R"("concatenated string","sliced string","symbol","bigint","object shape"],"string","number","number","number","number","number"],)"
    R"("edge_fields":["type","name_or_index","to_node"],)"
    R"("edge_types":[["context","element","property","internal","hidden","shortcut","weak"],"string_or_number","node"],)"
    R"("trace_function_info_fields":["function_id","name","script_name","script_id","line","column"],)"
    R"("trace_node_fields":["id","function_info_index","count","size","children"],)"
    R"("sample_fields":["timestamp_us","last_assigned_id"],"location_fields":["object_index","script_id","line","column"]})";

// Places in the meta data above.
enum NodeType { kHidden = 0, kString = 2, kObject = 3, kNative = 8, kSynthetic = 9 };
enum EdgeType { kElement = 1, kProperty = 2 };
constexpr uint64_t kNodeFields = 7;

// The file's table of texts.
class Strings {
 public:
  Strings() { Add("<dummy>"); }

  uint64_t Add(absl::string_view text) {
    const auto [place, added] = index_.try_emplace(std::string(text), index_.size());
    if (added) json_.push_back(JsonString(text));
    return place->second;
  }

  void Write(ByteSink* sink) const {
    for (size_t i = 0; i < json_.size(); ++i) sink->Append(absl::StrCat(i == 0 ? "" : ",\n", json_[i]));
  }

 private:
  absl::flat_hash_map<std::string, uint64_t> index_;
  std::vector<std::string> json_;
};

class Writer {
 public:
  Writer(const NamedStacks& stacks, FrameNamer* namer, ByteSink* sink)
      : stacks_(stacks),
        snapshot_(stacks.snapshot()),
        namer_(namer),
        sink_(sink),
        trace_(stacks, [this](absl::string_view text) { return strings_.Add(text); }) {
    if (snapshot_.blocks_known) held_ = HoldBlocks(snapshot_);
    NameBlocks();
  }

  void Write() {
    sink_->Append(absl::StrCat("{\"snapshot\":{\"meta\":", kMeta, ",\"node_count\":", FirstBlock() + Blocks(), ",\"edge_count\":", Edges(),
                               ",\"trace_function_count\":", trace_.functions(), "},\n\"nodes\":["));
    WriteNodes();
    sink_->Append("],\n\"edges\":[");
    WriteEdges();
    sink_->Append("],\n\"trace_function_infos\":[");
    trace_.WriteFunctions(sink_);
    sink_->Append("],\n\"trace_tree\":[");
    trace_.WriteTree(sink_);
    sink_->Append("],\n\"samples\":[],\n\"locations\":[],\n\"strings\":[");
    strings_.Write(sink_);
    sink_->Append("]}\n");
  }

 private:
  // Nodes: 0 is the root, 1 the "(GC roots)" (DevTools knows the name), then the holders, then blocks (or stacks).
  size_t FirstUnheld() const { return 2 + held_.roots.size(); }
  size_t FirstBlock() const { return FirstUnheld() + held_.unheld.size(); }
  size_t Blocks() const { return snapshot_.blocks_known ? snapshot_.blocks.size() : stacks_.stacks().size(); }

  size_t Edges() const {
    size_t edges = 1 + held_.unheld.size() + held_.roots.size() + snapshot_.references.size();
    for (const Holder& holder : held_.roots) edges += holder.edges.size();
    for (const Holder& holder : held_.unheld) edges += holder.edges.size();
    return snapshot_.blocks_known ? edges : 1 + stacks_.stacks().size();
  }

  void NameBlocks() {
    name_of_stack_.resize(snapshot_.stacks.size(), strings_.Add("block"));
    for (const NamedStack& stack : stacks_.stacks()) {
      if (stack.node == 0) continue;
      const Frame& frame = stacks_.sites()[stacks_.SiteOf(stack.node)].frames[0];
      name_of_stack_[stack.index] = strings_.Add(absl::StrCat(NameOf(stack.door), " in ", FrameName(frame)));
    }
    for (const std::string& name : ClassNames(snapshot_, namer_)) name_of_type_.push_back(strings_.Add(name.empty() ? "object" : name));
    for (int shape = 0; shape <= static_cast<int>(ledger::kLastShape); ++shape) {
      name_of_shape_.push_back(strings_.Add(NameOf(static_cast<ledger::Shape>(shape))));
    }
  }

  void WriteNode(NodeType type, uint64_t name, uint64_t bytes, uint64_t edges, uint64_t trace) {
    const uint64_t id = 2 * nodes_written_ + 1;
    sink_->Append(absl::StrCat(nodes_written_++ == 0 ? "" : ",\n", static_cast<int>(type), ",", name, ",", id, ",", bytes, ","));
    sink_->Append(absl::StrCat(edges, ",", trace, ",0"));
  }

  void WriteNodes() {
    const size_t below_root = snapshot_.blocks_known ? held_.unheld.size() : stacks_.stacks().size();
    WriteNode(kSynthetic, strings_.Add("(root)"), 0, 1 + below_root, 0);
    WriteNode(kSynthetic, strings_.Add("(GC roots)"), 0, held_.roots.size(), 0);
    for (const Holder& holder : held_.roots) WriteNode(kSynthetic, strings_.Add(holder.name), 0, holder.edges.size(), 0);
    for (const Holder& holder : held_.unheld) WriteNode(kSynthetic, strings_.Add(holder.name), 0, holder.edges.size(), 0);
    if (!snapshot_.blocks_known) {
      for (const NamedStack& stack : stacks_.stacks()) {
        WriteNode(kNative, name_of_stack_[stack.index], stack.counts.live_bytes, 0, trace_.IdOf(stack.index));
      }
      return;
    }
    size_t reference = 0;
    for (size_t i = 0; i < snapshot_.blocks.size(); ++i) {
      const size_t first = reference;
      while (reference < snapshot_.references.size() && snapshot_.references[reference].from == i) ++reference;
      WriteBlock(snapshot_.blocks[i], reference - first);
    }
  }

  void WriteBlock(const SnapshotBlock& block, uint64_t edges) {
    const bool destroyed = (block.flags & ledger::kBlockHeaderDestroyed) != 0;
    const uint32_t stack = destroyed ? 0 : block.stack;
    // It may be what holds others, but belongs to the parent process.
    if (!IsOwn(snapshot_, block)) return WriteNode(kHidden, strings_.Add("(inherited over fork)"), 0, edges, 0);
    NodeType type = kNative;
    uint64_t name = name_of_stack_[stack];
    if (block.type != 0) {
      type = kObject;
      name = name_of_type_[block.type];
    } else if (block.shape != ledger::Shape::kUnknown) {
      if (block.shape == ledger::Shape::kString) type = kString;
      name = name_of_shape_[static_cast<size_t>(block.shape)];
    }
    WriteNode(type, name, destroyed ? 0 : block.size, edges, trace_.IdOf(stack));
  }

  void WriteEdge(EdgeType type, uint64_t name_or_index, uint64_t to_node) {
    sink_->Append(absl::StrCat(edges_written_++ == 0 ? "" : ",\n", static_cast<int>(type), ",", name_or_index, ",", to_node * kNodeFields));
  }

  void WriteEdges() {
    WriteEdge(kElement, 0, 1);
    for (size_t i = 0; i < held_.unheld.size(); ++i) WriteEdge(kElement, i + 1, FirstUnheld() + i);
    if (!snapshot_.blocks_known) {
      for (size_t i = 0; i < Blocks(); ++i) WriteEdge(kElement, i + 1, FirstBlock() + i);
      return;
    }
    for (size_t i = 0; i < held_.roots.size(); ++i) WriteEdge(kElement, i, 2 + i);
    for (const Holder& holder : held_.roots) WriteEdges(holder);
    for (const Holder& holder : held_.unheld) WriteEdges(holder);
    for (const SnapshotReference& reference : snapshot_.references) {
      const uint64_t at = uint64_t{reference.word} * 8;
      if (reference.offset == 0) {
        WriteEdge(kElement, at, FirstBlock() + reference.to);
      } else {
        const std::string inside = reference.offset == UINT32_MAX ? "far inside" : absl::StrCat("+", reference.offset);
        WriteEdge(kProperty, strings_.Add(absl::StrCat("[", at, "] ", inside)), FirstBlock() + reference.to);
      }
    }
  }

  void WriteEdges(const Holder& holder) {
    for (size_t i = 0; i < holder.edges.size(); ++i) {
      const Holder::Edge& edge = holder.edges[i];
      const SnapshotRoot& root = snapshot_.roots[edge.root];
      std::string variable, module;
      if (root.kind == ledger::RootKind::kGlobal) namer_->NameVariable(snapshot_, root.address, &variable, &module);
      if (variable.empty()) {
        WriteEdge(kElement, i, FirstBlock() + edge.to);
      } else {
        WriteEdge(kProperty, strings_.Add(variable), FirstBlock() + edge.to);
      }
    }
  }

  const NamedStacks& stacks_;
  const Snapshot& snapshot_;
  FrameNamer* const namer_;
  ByteSink* const sink_;
  Strings strings_;
  TraceTree trace_;
  HeldBlocks held_;
  std::vector<uint64_t> name_of_stack_;
  std::vector<uint64_t> name_of_type_;
  std::vector<uint64_t> name_of_shape_;
  uint64_t nodes_written_ = 0;
  uint64_t edges_written_ = 0;
};

}  // namespace

void WriteHeapsnapshot(const NamedStacks& stacks, FrameNamer* namer, ByteSink* sink) { Writer(stacks, namer, sink).Write(); }

}  // namespace mallocspy

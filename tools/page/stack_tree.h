// The stacks of all pictures that a page shows, as one tree of named frames: what has the same names is the same node,
// in whichever snapshot it was. Texts are stored once, made safe to read (Escaped()).
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "tools/reader/snapshot.h"
#include "tools/verdict/findings.h"
#include "tools/verdict/frame_namer.h"

namespace mallocspy {

struct TreeFrame {
  uint32_t module = 0;  // these are texts; 0 is ""
  uint32_t function = 0;
  uint32_t file = 0;
  uint32_t line = 0;
  uint64_t offset = 0;  // in the module; only of a frame without a function
  bool inlined = false;
};

struct TreeNode {
  uint32_t parent = 0;  // smaller than this node's own index, but for the root
  uint32_t frame = 0;
};

class StackTree {
 public:
  // By place: the same function, file and line. By function: the same function of a module of the same file name,
  // which outlives a rebuild; file and line are those of the first one met.
  enum class Merge { kByPlace, kByFunction };
  explicit StackTree(Merge merge);

  uint32_t AddText(absl::string_view text);
  uint32_t AddFrame(const Frame& frame);
  uint32_t AddNode(uint32_t parent, uint32_t frame);
  uint32_t AddStack(const std::vector<Frame>& frames);  // innermost first; the node where it ends

  const std::vector<std::string>& texts() const { return texts_; }  // [0] is ""
  const std::vector<TreeFrame>& frames() const { return frames_; }  // [0] stands for "not known"
  const std::vector<TreeNode>& nodes() const { return nodes_; }     // [0] is the root

 private:
  using FrameKey = std::tuple<uint32_t, uint32_t, uint32_t, uint32_t, bool, uint64_t, uint32_t>;

  const Merge merge_;
  std::vector<std::string> texts_ = {""};
  std::vector<TreeFrame> frames_ = {TreeFrame()};
  std::vector<TreeNode> nodes_ = {TreeNode()};
  absl::flat_hash_map<std::string, uint32_t> text_index_ = {{"", 0}};
  absl::flat_hash_map<FrameKey, uint32_t> frame_index_;
  absl::flat_hash_map<std::pair<uint32_t, uint32_t>, uint32_t> node_index_;
};

// Nodes of one snapshot in the tree. Each is named once, however many stacks it is part of.
class SnapshotNodes {
 public:
  // All three must outlive it.
  SnapshotNodes(const Snapshot& snapshot, FrameNamer* namer, StackTree* tree);

  // The same as tree->AddStack(namer->Name(snapshot, node)), in amortized constant time.
  uint32_t Node(uint32_t node);

 private:
  const std::vector<uint32_t>& FramesOf(uint64_t site);  // outermost first

  static constexpr uint32_t kNotAdded = UINT32_MAX;

  const Snapshot& snapshot_;
  FrameNamer* const namer_;
  StackTree* const tree_;
  std::vector<uint32_t> added_;  // by node of the snapshot
  absl::flat_hash_map<uint64_t, std::vector<uint32_t>> frames_of_;
  std::vector<uint32_t> pending_;
};

}  // namespace mallocspy

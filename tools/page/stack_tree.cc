#include "tools/page/stack_tree.h"

#include <algorithm>

#include "tools/wording/escape.h"

namespace mallocspy {

StackTree::StackTree(Merge merge) : merge_(merge) {}

uint32_t StackTree::AddText(absl::string_view text) {
  const auto [place, added] = text_index_.try_emplace(text, static_cast<uint32_t>(texts_.size()));
  if (added) texts_.push_back(Escaped(text));
  return place->second;
}

uint32_t StackTree::AddFrame(const Frame& frame) {
  const bool named = !frame.function.empty();
  TreeFrame added_frame;
  added_frame.module = AddText(frame.module);
  added_frame.function = AddText(frame.function);
  added_frame.file = AddText(frame.file);
  added_frame.line = static_cast<uint32_t>(std::max(frame.line, 0));
  added_frame.offset = named ? 0 : frame.offset;
  added_frame.inlined = frame.inlined;
  FrameKey key;
  if (merge_ == Merge::kByFunction) {
    const uint32_t module = AddText(absl::string_view(frame.module).substr(frame.module.rfind('/') + 1));
    key = {module, added_frame.function, 0, 0, false, added_frame.offset, 0};
  } else {
    // An offset says something together with the build only.
    const uint32_t build = named ? 0 : AddText(frame.build_id);
    key = {added_frame.module,
           added_frame.function,
           added_frame.file,
           added_frame.line,
           frame.inlined,
           added_frame.offset,
           build};
  }
  const auto [place, added] = frame_index_.try_emplace(key, static_cast<uint32_t>(frames_.size()));
  if (added) frames_.push_back(added_frame);
  return place->second;
}

uint32_t StackTree::AddNode(uint32_t parent, uint32_t frame) {
  const auto [place, added] = node_index_.try_emplace({parent, frame}, static_cast<uint32_t>(nodes_.size()));
  if (added) nodes_.push_back({parent, frame});
  return place->second;
}

uint32_t StackTree::AddStack(const std::vector<Frame>& frames) {
  uint32_t node = 0;
  for (size_t i = frames.size(); i-- > 0;) node = AddNode(node, AddFrame(frames[i]));
  return node;
}

SnapshotNodes::SnapshotNodes(const Snapshot& snapshot, FrameNamer* namer, StackTree* tree)
    : snapshot_(snapshot), namer_(namer), tree_(tree), added_(snapshot.nodes.size(), kNotAdded) {
  if (!added_.empty()) added_[0] = 0;
}

const std::vector<uint32_t>& SnapshotNodes::FramesOf(uint64_t site) {
  const auto [place, added] = frames_of_.try_emplace(site);
  if (added) {
    for (const Frame& frame : namer_->NameSite(snapshot_, site)) place->second.push_back(tree_->AddFrame(frame));
    std::reverse(place->second.begin(), place->second.end());
  }
  return place->second;
}

uint32_t SnapshotNodes::Node(uint32_t node) {
  while (node != 0 && snapshot_.modules[snapshot_.nodes[node].site >> ledger::kSiteModuleShift].self) {
    node = snapshot_.nodes[node].parent;
  }
  if (node == 0) return 0;
  for (; added_[node] == kNotAdded; node = snapshot_.nodes[node].parent) pending_.push_back(node);
  uint32_t caller = added_[node];
  while (!pending_.empty()) {
    node = pending_.back();
    pending_.pop_back();
    for (const uint32_t frame : FramesOf(snapshot_.nodes[node].site)) caller = tree_->AddNode(caller, frame);
    added_[node] = caller;
  }
  return caller;
}

}  // namespace mallocspy

#include "tools/graph/folded_dominators.h"

#include <algorithm>
#include <queue>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "tools/graph/dominated_nodes.h"

namespace mallocspy {
namespace {

constexpr uint32_t kMostDepth = 60;
constexpr uint64_t kThousand = 1000;

struct Group {
  uint64_t kind = 0;
  uint32_t depth = 0;
  std::vector<uint32_t> nodes;
};

class Folding {
 public:
  Folding(const DominatorTree& tree, const std::function<uint64_t(uint32_t node)>& kind_of)
      : tree_(tree), kind_of_(kind_of), dominated_(tree), least_bytes_(tree.RetainedBytes(tree.top()) / kThousand) {}

  std::vector<FoldedDominator> Fold(size_t most) {
    Group all;
    all.nodes.push_back(tree_.top());
    Add(0, std::move(all));
    while (!largest_.empty() && list_.size() < most) {
      const uint32_t index = largest_.top().second;
      largest_.pop();
      Expand(index);
    }
    return std::move(list_);
  }

 private:
  void Add(uint32_t parent, Group group) {
    FoldedDominator folded = {parent, group.nodes[0], group.nodes.size(), 0, 0};
    for (const uint32_t node : group.nodes) {
      folded.bytes += tree_.RetainedBytes(node);
      folded.blocks += tree_.RetainedBlocks(node);
    }
    largest_.emplace(folded.bytes, static_cast<uint32_t>(list_.size()));
    list_.push_back(folded);
    groups_.push_back(std::move(group));
  }

  // What is below the nodes of a group, with those of its own kind, by kind.
  std::vector<Group> Below(uint32_t index) {
    std::vector<uint32_t> nodes = std::move(groups_[index].nodes);
    absl::flat_hash_map<uint64_t, size_t> places;
    std::vector<Group> below;
    while (!nodes.empty()) {
      const uint32_t node = nodes.back();
      nodes.pop_back();
      for (const uint32_t child : dominated_.Below(node)) {
        const uint64_t kind = kind_of_(child);
        if (index != 0 && kind == groups_[index].kind) {
          nodes.push_back(child);
          continue;
        }
        const auto [place, added] = places.try_emplace(kind, below.size());
        if (added) below.push_back({kind, groups_[index].depth + 1, {}});
        below[place->second].nodes.push_back(child);
      }
    }
    return below;
  }

  void Expand(uint32_t index) {
    if (groups_[index].depth == kMostDepth) return;
    FoldedDominator others = {index, FoldedDominator::kOthers, 0, 0, 0};
    for (Group& group : Below(index)) {
      uint64_t bytes = 0;
      for (const uint32_t node : group.nodes) bytes += tree_.RetainedBytes(node);
      if (bytes > least_bytes_) {
        Add(index, std::move(group));
        continue;
      }
      others.nodes += group.nodes.size();
      others.bytes += bytes;
      for (const uint32_t node : group.nodes) others.blocks += tree_.RetainedBlocks(node);
    }
    if (others.nodes == 0) return;
    list_.push_back(others);
    groups_.emplace_back();
  }

  const DominatorTree& tree_;
  const std::function<uint64_t(uint32_t node)>& kind_of_;
  const DominatedNodes dominated_;
  const uint64_t least_bytes_;
  std::vector<FoldedDominator> list_;
  std::vector<Group> groups_;  // of the list
  std::priority_queue<std::pair<uint64_t, uint32_t>> largest_;
};

}  // namespace

std::vector<FoldedDominator> FoldDominators(const DominatorTree& tree, const std::function<uint64_t(uint32_t node)>& kind_of, size_t most) {
  return Folding(tree, kind_of).Fold(most);
}

}  // namespace mallocspy

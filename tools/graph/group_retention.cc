#include "tools/graph/group_retention.h"

#include "tools/graph/dominated_nodes.h"

namespace mallocspy {

std::vector<uint64_t> RetainedByGroups(const DominatorTree& tree, uint32_t groups, const std::function<uint32_t(uint32_t node)>& group_of) {
  std::vector<uint64_t> bytes(groups, 0);
  std::vector<uint32_t> above(groups, 0);  // nodes of the group on the way down to the current one
  const DominatedNodes dominated(tree);
  struct Place {
    uint32_t node;
    uint32_t next;  // of those below it
    uint32_t group;
  };
  std::vector<Place> way = {{tree.top(), 0, kNoGroup}};
  while (!way.empty()) {
    Place& place = way.back();
    const absl::Span<const uint32_t> below = dominated.Below(place.node);
    if (place.next == below.size()) {
      if (place.group != kNoGroup) --above[place.group];
      way.pop_back();
      continue;
    }
    const uint32_t node = below[place.next++];
    const uint32_t group = group_of(node);
    if (group != kNoGroup && above[group]++ == 0) bytes[group] += tree.RetainedBytes(node);
    way.push_back({node, 0, group});
  }
  return bytes;
}

}  // namespace mallocspy

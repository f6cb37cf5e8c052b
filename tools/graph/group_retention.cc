#include "tools/graph/group_retention.h"

#include <numeric>

namespace mallocspy {
namespace {

// The nodes directly below each: those of node i are nodes[begin[i]] to nodes[begin[i + 1]].
struct Children {
  explicit Children(const DominatorTree& tree) : begin(tree.top() + 2, 0), nodes(tree.downwards().size()) {
    for (const uint32_t node : tree.downwards()) ++begin[tree.DominatorOf(node)];
    std::partial_sum(begin.begin(), begin.end(), begin.begin());
    for (const uint32_t node : tree.downwards()) nodes[--begin[tree.DominatorOf(node)]] = node;
  }
  std::vector<uint32_t> begin;
  std::vector<uint32_t> nodes;
};

}  // namespace

std::vector<uint64_t> RetainedByGroups(const DominatorTree& tree, uint32_t groups, const std::function<uint32_t(uint32_t node)>& group_of) {
  std::vector<uint64_t> bytes(groups, 0);
  std::vector<uint32_t> above(groups, 0);  // nodes of the group on the way down to the current one
  const Children children(tree);
  struct Place {
    uint32_t node;
    uint32_t next;  // of its children
    uint32_t group;
  };
  std::vector<Place> way = {{tree.top(), children.begin[tree.top()], kNoGroup}};
  while (!way.empty()) {
    Place& place = way.back();
    if (place.next == children.begin[place.node + 1]) {
      if (place.group != kNoGroup) --above[place.group];
      way.pop_back();
      continue;
    }
    const uint32_t node = children.nodes[place.next++];
    const uint32_t group = group_of(node);
    if (group != kNoGroup && above[group]++ == 0) bytes[group] += tree.RetainedBytes(node);
    way.push_back({node, children.begin[node], group});
  }
  return bytes;
}

}  // namespace mallocspy

// What groups of blocks retain: the objects of a class, for example.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "tools/graph/dominator_tree.h"

namespace mallocspy {

inline constexpr uint32_t kNoGroup = UINT32_MAX;

// For each group below `groups` the sum of what its blocks retain, those left out that another block of the group dominates, so
// that nothing counts twice. `group_of(node)` is kNoGroup for a node of none.
std::vector<uint64_t> RetainedByGroups(const DominatorTree& tree, uint32_t groups, const std::function<uint32_t(uint32_t node)>& group_of);

}  // namespace mallocspy

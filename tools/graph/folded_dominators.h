// The dominator tree as people can look at it: what is alike and hangs on the same is one, and so is a chain of alike.
//
//   (heap)                              1000 blocks
//     g_sessions in prog                 900          a holder
//       depot::Session  Open()           900          100 of them
//         (std::string characters)       ...          one for each
//       12 others
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "tools/graph/dominator_tree.h"

namespace mallocspy {

struct FoldedDominator {
  static constexpr uint32_t kOthers = UINT32_MAX;

  uint32_t parent = 0;    // in the list, before this one; of the first, which is all: itself
  uint32_t example = 0;   // one of its nodes; kOthers: of several kinds, each of which retains little
  uint64_t nodes = 0;     // that are put together here, links of chains not counted
  uint64_t bytes = 0;     // that they retain
  uint64_t blocks = 0;
};

// `kind_of` is the same for nodes that are alike. What retains less than a thousandth of all is among others, and what is below those that retain
// least, once there are `most` of them. Bytes and blocks of those below one are never more than its own; what it has more is itself.
std::vector<FoldedDominator> FoldDominators(const DominatorTree& tree, const std::function<uint64_t(uint32_t node)>& kind_of, size_t most);

}  // namespace mallocspy

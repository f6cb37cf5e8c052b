// The dominator tree as it is walked from above: the nodes directly below each.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "tools/graph/dominator_tree.h"

namespace mallocspy {

class DominatedNodes {
 public:
  explicit DominatedNodes(const DominatorTree& tree);

  absl::Span<const uint32_t> Below(uint32_t node) const {
    return absl::MakeConstSpan(nodes_).subspan(begin_[node], begin_[node + 1] - begin_[node]);
  }

 private:
  std::vector<uint32_t> begin_;  // those of node i are from begin_[i] to begin_[i + 1]
  std::vector<uint32_t> nodes_;
};

}  // namespace mallocspy

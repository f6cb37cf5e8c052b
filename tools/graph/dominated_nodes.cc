#include "tools/graph/dominated_nodes.h"

#include <numeric>

namespace mallocspy {

DominatedNodes::DominatedNodes(const DominatorTree& tree) : begin_(tree.top() + 2, 0), nodes_(tree.downwards().size()) {
  for (const uint32_t node : tree.downwards()) ++begin_[tree.DominatorOf(node)];
  std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
  for (const uint32_t node : tree.downwards()) nodes_[--begin_[tree.DominatorOf(node)]] = node;
}

}  // namespace mallocspy

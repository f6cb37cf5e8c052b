// A walk through the graph, depth first and without recursion: chains of millions of blocks are usual.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "tools/graph/object_graph.h"

namespace mallocspy {

class DepthFirst {
 public:
  explicit DepthFirst(const ObjectGraph& graph) : graph_(graph) {}

  // Walks from `start`, for which `enter(start, start)` must just have returned true. `enter(from, to)` is called for each edge and tells
  // whether to go on at `to`; `leave(node)` when all that follows it was walked.
  template <typename Enter, typename Leave>
  void Walk(uint32_t start, Enter enter, Leave leave) {
    stack_.push_back({start, 0});
    while (!stack_.empty()) {
      const uint32_t node = stack_.back().first;
      if (stack_.back().second == graph_.OutDegree(node)) {
        leave(node);
        stack_.pop_back();
        continue;
      }
      const uint32_t next = graph_.Successor(node, stack_.back().second++);
      if (enter(node, next)) stack_.push_back({next, 0});
    }
  }

 private:
  const ObjectGraph& graph_;
  std::vector<std::pair<uint32_t, uint32_t>> stack_;  // a node, and how many of its edges were walked
};

}  // namespace mallocspy

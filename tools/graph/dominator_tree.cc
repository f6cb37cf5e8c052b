#include "tools/graph/dominator_tree.h"

#include <algorithm>

#include "tools/graph/depth_first.h"

namespace mallocspy {
namespace {

// Lengauer and Tarjan, "A fast algorithm for finding dominators in a flowgraph", with simple path compression. Nodes go by
// their number in a depth-first order, in which the top node has number 1 and 0 means "not met".
class Numbering {
 public:
  Numbering(const Snapshot& snapshot, const ObjectGraph& graph) : graph_(graph), walk_(graph), number_(graph.nodes(), 0) {
    node_ = {0, graph.nodes()};
    parent_ = {0, 1};
    node_.reserve(graph.nodes() + 2);
    parent_.reserve(graph.nodes() + 2);
    for (uint32_t holder = graph.blocks(); holder < graph.nodes(); ++holder) {
      if (graph.OutDegree(holder) != 0) NumberFrom(holder);
    }
    NumberLost(snapshot);
  }

  uint32_t size() const { return static_cast<uint32_t>(node_.size()); }
  uint32_t NumberOf(uint32_t node) const { return number_[node]; }
  uint32_t NodeOf(uint32_t number) const { return node_[number]; }
  std::vector<uint32_t>& parents() { return parent_; }
  std::vector<uint32_t>& nodes() { return node_; }

 private:
  void Take(uint32_t node, uint32_t parent) {
    number_[node] = size();
    node_.push_back(node);
    parent_.push_back(parent);
  }

  // Everything that is met from `start` and was not yet, with `start` directly below the top.
  void NumberFrom(uint32_t start) {
    if (number_[start] != 0) return;
    Take(start, 1);
    walk_.Walk(
        start,
        [this](uint32_t from, uint32_t to) {
          if (number_[to] != 0) return false;
          Take(to, number_[from]);
          return true;
        },
        [](uint32_t) {});
  }

  void NumberLost(const Snapshot& snapshot) {
    // Of a walk through all of them, the node that is left last lies in a component that no other one points to, and is the
    // first one of it that was entered; so are the later ones of those that remain.
    std::vector<bool> met(graph_.blocks());
    std::vector<uint32_t> left;
    for (const bool definite : {true, false}) {
      for (uint32_t block = 0; block < graph_.blocks(); ++block) {
        if (number_[block] != 0 || met[block] || (definite && snapshot.blocks[block].reach != ledger::Reach::kDefinite)) continue;
        met[block] = true;
        walk_.Walk(
            block,
            [this, &met](uint32_t, uint32_t to) {
              if (number_[to] != 0 || met[to]) return false;
              met[to] = true;
              return true;
            },
            [&left](uint32_t node) { left.push_back(node); });
      }
    }
    for (auto block = left.rbegin(); block != left.rend(); ++block) NumberFrom(*block);
  }

  const ObjectGraph& graph_;
  DepthFirst walk_;
  std::vector<uint32_t> number_;  // by node
  std::vector<uint32_t> node_;    // by number
  std::vector<uint32_t> parent_;  // in the walk, by number
};

class Dominators {
 public:
  explicit Dominators(Numbering* numbering) : numbering_(*numbering), ancestor_(numbering->parents()) {
    const uint32_t size = numbering->size();
    semi_.resize(size);
    label_.resize(size);
    for (uint32_t i = 0; i < size; ++i) semi_[i] = label_[i] = i;
    bucket_.assign(size, 0);
    next_in_bucket_.assign(size, 0);
    dominator_.assign(size, 0);
  }

  // By number.
  std::vector<uint32_t> Find(const ObjectGraph& graph) {
    for (uint32_t i = numbering_.size() - 1; i > 1; --i) {
      const uint32_t parent = ancestor_[i];
      const uint32_t node = numbering_.NodeOf(i);
      semi_[i] = parent;
      if (graph.IsBlock(node)) {
        graph.ForEachPredecessor(node, [this, i](uint32_t from) {
          // Each that points to a numbered block is numbered; those after it count by what they were reached through.
          semi_[i] = std::min(semi_[i], semi_[Best(numbering_.NumberOf(from), i + 1)]);
        });
      }
      next_in_bucket_[i] = bucket_[semi_[i]];
      bucket_[semi_[i]] = i;
      for (uint32_t member = bucket_[parent]; member != 0; member = next_in_bucket_[member]) {
        const uint32_t best = Best(member, i);
        dominator_[member] = semi_[best] < semi_[member] ? best : parent;
      }
      bucket_[parent] = 0;
    }
    for (uint32_t i = 2; i < numbering_.size(); ++i) {
      if (dominator_[i] != semi_[i]) dominator_[i] = dominator_[dominator_[i]];
    }
    return std::move(dominator_);
  }

 private:
  // Nodes from `linked` on form a forest by their ancestors. The one with the smallest semidominator on the way from `i` up to
  // the root of its tree, the root left out; a node that is no part of it yet is its own.
  uint32_t Best(uint32_t i, uint32_t linked) {
    if (ancestor_[i] < linked) return label_[i];
    for (uint32_t up = i; ancestor_[up] >= linked; up = ancestor_[up]) path_.push_back(up);
    uint32_t above = ancestor_[path_.back()];
    while (!path_.empty()) {
      const uint32_t here = path_.back();
      path_.pop_back();
      ancestor_[here] = ancestor_[above];
      if (semi_[label_[above]] < semi_[label_[here]]) label_[here] = label_[above];
      above = here;
    }
    return label_[i];
  }

  const Numbering& numbering_;
  std::vector<uint32_t>& ancestor_;  // begins as the parent; a node that is not yet linked still has it
  std::vector<uint32_t> semi_;
  std::vector<uint32_t> label_;
  std::vector<uint32_t> bucket_;  // of a node: those whose semidominator it is, as a list
  std::vector<uint32_t> next_in_bucket_;
  std::vector<uint32_t> dominator_;
  std::vector<uint32_t> path_;
};

}  // namespace

DominatorTree::DominatorTree(const Snapshot& snapshot, const ObjectGraph& graph)
    : dominator_(graph.nodes() + 1, graph.nodes()), retained_bytes_(graph.nodes() + 1, 0), retained_blocks_(graph.nodes() + 1, 0) {
  Numbering numbering(snapshot, graph);
  const std::vector<uint32_t> by_number = Dominators(&numbering).Find(graph);
  for (uint32_t i = 2; i < numbering.size(); ++i) dominator_[numbering.NodeOf(i)] = numbering.NodeOf(by_number[i]);
  downwards_ = std::move(numbering.nodes());
  downwards_.erase(downwards_.begin(), downwards_.begin() + 2);
  for (uint32_t block = 0; block < graph.blocks(); ++block) {
    retained_bytes_[block] = snapshot.blocks[block].size;
    retained_blocks_[block] = 1;
  }
  for (auto node = downwards_.rbegin(); node != downwards_.rend(); ++node) {
    retained_bytes_[dominator_[*node]] += retained_bytes_[*node];
    retained_blocks_[dominator_[*node]] += retained_blocks_[*node];
  }
}

std::vector<uint32_t> DominatorTree::DirectlyBelow(uint32_t node) const {
  std::vector<uint32_t> below;
  for (uint32_t i = 0; i < top(); ++i) {
    if (dominator_[i] == node && (retained_blocks_[i] != 0)) below.push_back(i);
  }
  return below;
}

}  // namespace mallocspy

// Made-up stacks: number k is a chain of sites that tells k, of a depth that depends on k, sharing outer frames with others.
#pragma once

#include <cstdint>
#include <vector>

#include "allocator/ledger/ledger.h"

namespace mallocspy::ledger {

// Innermost first.
inline std::vector<uint64_t> SitesOf(uint64_t number) {
  std::vector<uint64_t> sites;
  sites.push_back(0x1000000 + number);
  for (uint64_t rest = number; rest != 0; rest /= 7) sites.push_back(0x2000 + rest % 7);
  sites.push_back(0x3000);
  return sites;
}

// The sites of the node's stack, innermost first; empty if the tree is broken there.
inline std::vector<uint64_t> SitesAt(uint32_t node) {
  std::vector<uint64_t> sites;
  const uint32_t count = g_ledger.Count(TableId::kNodes);
  while (node != 0) {
    if (node >= count) return {};
    const Node* frame = g_ledger.At<Node>(TableId::kNodes, node);
    if (frame->parent >= node) return {};
    sites.push_back(frame->site);
    node = frame->parent;
  }
  return sites;
}

}  // namespace mallocspy::ledger

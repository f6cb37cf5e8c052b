// Finds one representative for nodes that name the same stack: a module that was unloaded and loaded again, or stacks
// that differ only in a flag, must not split one leak in two.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "tools/reader/snapshot.h"

namespace mallocspy {

class StackMerger {
 public:
  // `snapshot` must outlive the merger.
  explicit StackMerger(const Snapshot& snapshot);

  // The same node for any two nodes with the same modules (path and build-id) and offsets, from which leading frames of
  // libmallocspy itself were cut. Amortized constant time.
  uint32_t Representative(uint32_t node);

  // Orders stacks by module paths and offsets, innermost frame first: the same on every run, whatever the addresses.
  bool Before(uint32_t left, uint32_t right) const;

 private:
  uint64_t MergedSite(uint64_t site) const;

  const Snapshot& snapshot_;
  std::vector<uint32_t> merged_module_;   // by module index: the first with the same path and build-id
  std::vector<uint32_t> representative_;  // by node; 0 is not known yet
  absl::flat_hash_map<std::pair<uint32_t, uint64_t>, uint32_t> by_caller_and_site_;
  std::vector<uint32_t> pending_;
};

}  // namespace mallocspy

#include "tools/verdict/stack_merger.h"

#include "absl/strings/string_view.h"

namespace mallocspy {

StackMerger::StackMerger(const Snapshot& snapshot)
    : snapshot_(snapshot), merged_module_(snapshot.modules.size()), representative_(snapshot.nodes.size()) {
  absl::flat_hash_map<std::pair<absl::string_view, absl::string_view>, uint32_t> first;
  for (uint32_t i = 0; i < snapshot.modules.size(); ++i) {
    const SnapshotModule& module = snapshot.modules[i];
    merged_module_[i] = first.try_emplace({module.path, module.build_id}, i).first->second;
  }
}

uint64_t StackMerger::MergedSite(uint64_t site) const {
  const uint64_t module = merged_module_[site >> ledger::kSiteModuleShift];
  return module << ledger::kSiteModuleShift | (site & ledger::kSiteOffsetMask);
}

uint32_t StackMerger::Representative(uint32_t node) {
  while (node != 0 && snapshot_.modules[snapshot_.nodes[node].site >> ledger::kSiteModuleShift].self) {
    node = snapshot_.nodes[node].parent;
  }
  pending_.clear();
  for (; node != 0 && representative_[node] == 0; node = snapshot_.nodes[node].parent) pending_.push_back(node);
  uint32_t caller = representative_[node];
  while (!pending_.empty()) {
    const uint32_t next = pending_.back();
    pending_.pop_back();
    caller = by_caller_and_site_.try_emplace({caller, MergedSite(snapshot_.nodes[next].site)}, next).first->second;
    representative_[next] = caller;
  }
  return caller;
}

bool StackMerger::Before(uint32_t left, uint32_t right) const {
  while (left != right) {
    if (left == 0 || right == 0) return left == 0;
    const uint64_t left_site = MergedSite(snapshot_.nodes[left].site);
    const uint64_t right_site = MergedSite(snapshot_.nodes[right].site);
    if (left_site != right_site) {
      const SnapshotModule& left_module = snapshot_.modules[left_site >> ledger::kSiteModuleShift];
      const SnapshotModule& right_module = snapshot_.modules[right_site >> ledger::kSiteModuleShift];
      if (left_module.path != right_module.path) return left_module.path < right_module.path;
      if (left_module.build_id != right_module.build_id) return left_module.build_id < right_module.build_id;
      return left_site < right_site;
    }
    left = snapshot_.nodes[left].parent;
    right = snapshot_.nodes[right].parent;
  }
  return false;
}

}  // namespace mallocspy

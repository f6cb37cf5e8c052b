#include "tools/export/named_stacks.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "tools/verdict/leak_groups.h"

namespace mallocspy {
namespace {

std::vector<StackCounts> CountsOf(const Snapshot& snapshot) {
  std::vector<StackCounts> counts(snapshot.stacks.size());
  for (size_t i = 0; i < counts.size(); ++i) {
    const SnapshotStack& stack = snapshot.stacks[i];
    counts[i] = {stack.allocations, stack.allocated_bytes, stack.live_blocks(), stack.live_bytes(), stack.peak_blocks, stack.peak_bytes};
    if (snapshot.blocks_known) counts[i].live_blocks = counts[i].live_bytes = 0;
  }
  if (!snapshot.blocks_known) return counts;
  for (const SnapshotBlock& block : snapshot.blocks) {
    if (!IsOwn(snapshot, block)) continue;
    const bool destroyed = (block.flags & ledger::kBlockHeaderDestroyed) != 0;
    StackCounts& of_stack = counts[destroyed ? 0 : block.stack];
    ++of_stack.live_blocks;
    if (!destroyed) of_stack.live_bytes += block.size;
  }
  if (!snapshot.peak.is_end) return counts;
  for (StackCounts& of_stack : counts) {
    of_stack.peak_blocks = of_stack.live_blocks;
    of_stack.peak_bytes = of_stack.live_bytes;
  }
  return counts;
}

}  // namespace

std::string ValgrindFrame(const Frame& frame) {
  const std::string place = !frame.file.empty()
                                ? absl::StrCat(frame.file.substr(frame.file.rfind('/') + 1), ":", frame.line)
                                : !frame.module.empty() ? absl::StrCat("in ", frame.module) : "";
  return absl::StrCat("0x", absl::Hex(frame.address), ": ", frame.function.empty() ? "???" : frame.function,
                      place.empty() ? "" : absl::StrCat(" (", place, ")"));
}

uint32_t FirstNodeOutside(const Snapshot& snapshot, uint32_t node) {
  while (node != 0 && snapshot.modules[snapshot.nodes[node].site >> ledger::kSiteModuleShift].self) {
    node = snapshot.nodes[node].parent;
  }
  return node;
}

NamedStacks::NamedStacks(const Snapshot& snapshot, FrameNamer* namer)
    : snapshot_(snapshot), site_of_node_(snapshot.nodes.size(), kNoSite) {
  const std::vector<StackCounts> counts = CountsOf(snapshot);
  for (uint32_t i = 0; i < counts.size(); ++i) {
    if (counts[i].allocations == 0 && counts[i].allocated_bytes == 0 && counts[i].live_blocks == 0 && counts[i].peak_blocks == 0) continue;
    const SnapshotStack& stack = snapshot.stacks[i];
    stacks_.push_back({i, FirstNodeOutside(snapshot, stack.node), stack.door, counts[i]});
  }
  NameSites(namer);
}

void NamedStacks::NameSites(FrameNamer* namer) {
  absl::flat_hash_map<uint64_t, uint32_t> index;
  for (const NamedStack& stack : stacks_) {
    // A node that has its site has all its callers' as well.
    for (uint32_t node = stack.node; node != 0 && site_of_node_[node] == kNoSite; node = snapshot_.nodes[node].parent) {
      const uint64_t site = snapshot_.nodes[node].site;
      const auto [place, added] = index.try_emplace(site, static_cast<uint32_t>(sites_.size()));
      if (added) {
        NamedSite& named = sites_.emplace_back();
        named.frames = namer->NameSite(snapshot_, site);
        named.module = static_cast<uint32_t>(site >> ledger::kSiteModuleShift);
        named.address = named.frames[0].address;
      }
      site_of_node_[node] = place->second;
    }
  }
}

StackCounts& StackCounts::operator+=(const StackCounts& other) {
  allocations += other.allocations;
  allocated_bytes += other.allocated_bytes;
  live_blocks += other.live_blocks;
  live_bytes += other.live_bytes;
  peak_blocks += other.peak_blocks;
  peak_bytes += other.peak_bytes;
  return *this;
}

StackCounts NamedStacks::totals() const {
  StackCounts totals;
  for (const NamedStack& stack : stacks_) totals += stack.counts;
  return totals;
}

std::vector<uint32_t> NamedStacks::SitesOf(const NamedStack& stack) const {
  std::vector<uint32_t> sites;
  for (uint32_t node = stack.node; node != 0; node = snapshot_.nodes[node].parent) sites.push_back(site_of_node_[node]);
  return sites;
}

}  // namespace mallocspy

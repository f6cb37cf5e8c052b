// Feeds arbitrary bytes to the reader of snapshots, and what it accepts to the grouping of leaks.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tools/reader/reader.h"
#include "tools/verdict/leak_groups.h"

namespace {

// What readers rely on: indices in range, parents before children.
void CheckSound(const mallocspy::Snapshot& snapshot) {
  for (uint32_t i = 1; i < snapshot.nodes.size(); ++i) {
    const mallocspy::SnapshotNode& node = snapshot.nodes[i];
    if (node.parent >= i || node.site >> mallocspy::ledger::kSiteModuleShift >= snapshot.modules.size()) abort();
  }
  for (const mallocspy::SnapshotStack& stack : snapshot.stacks) {
    if (stack.node >= snapshot.nodes.size()) abort();
  }
  for (const mallocspy::SnapshotBlock& block : snapshot.blocks) {
    if (block.stack >= snapshot.stacks.size()) abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<mallocspy::Snapshot> snapshot =
      mallocspy::ReadSnapshot(mallocspy::MemorySource(absl::string_view(bytes.data(), bytes.size())), "fuzz");
  if (!snapshot.ok()) return 0;
  CheckSound(*snapshot);
  mallocspy::GroupLiveBlocks(*snapshot);
  return 0;
}

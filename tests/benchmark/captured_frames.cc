// captured_frames FILE.mspy...: one line of JSON about the stacks in these snapshots, each stack weighted with its
// allocations.
#include <cstdint>
#include <cstdio>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/reader/reader.h"

int main(int argc, char** argv) {
  uint64_t allocations = 0;
  uint64_t frames = 0;
  uint64_t truncated = 0;
  uint64_t stacks = 0;
  for (int i = 1; i < argc; ++i) {
    const absl::StatusOr<mallocspy::Snapshot> snapshot = mallocspy::ReadSnapshotFile(argv[i]);
    if (!snapshot.ok()) {
      fprintf(stderr, "captured_frames: %s\n", snapshot.status().ToString().c_str());
      return 1;
    }
    std::vector<uint32_t> depths(snapshot->nodes.size(), 0);  // a parent comes before its children
    for (size_t node = 1; node < depths.size(); ++node) depths[node] = depths[snapshot->nodes[node].parent] + 1;
    for (const mallocspy::SnapshotStack& stack : snapshot->stacks) {
      if (stack.allocations == 0) continue;
      ++stacks;
      allocations += stack.allocations;
      frames += stack.allocations * depths[stack.node];
      if (stack.truncated) truncated += stack.allocations;
    }
  }
  printf("{\"allocations\": %llu, \"frames\": %llu, \"truncated\": %llu, \"stacks\": %llu}\n",
         static_cast<unsigned long long>(allocations), static_cast<unsigned long long>(frames),
         static_cast<unsigned long long>(truncated), static_cast<unsigned long long>(stacks));
  return 0;
}

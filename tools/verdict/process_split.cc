#include "tools/verdict/process_split.h"

#include <utility>

#include "absl/container/flat_hash_map.h"

namespace mallocspy {

std::vector<Findings> SplitByProcess(const std::vector<Findings>& reports) {
  std::vector<Findings> processes;
  absl::flat_hash_map<uint32_t, size_t> by_pid;
  const auto add = [&](Findings image, bool first) {
    image.children.clear();
    const auto [at, added] = by_pid.try_emplace(image.process.pid, processes.size());
    if (added) {
      processes.push_back(std::move(image));
      return;
    }
    // The last image of a run's first process comes before its earlier ones, those of all others come in order.
    Findings& known = processes[at->second];
    if (!first && known.process.exit.kind == ProcessExit::Kind::kExec) {
      std::swap(known, image);
      known.children = std::exchange(image.children, {});
    }
    known.children.push_back(std::move(image));
  };
  for (const Findings& report : reports) {
    add(report, false);
    for (const Findings& child : report.children) add(child, child.process.pid == report.process.pid);
  }
  return processes;
}

}  // namespace mallocspy

#include "tools/export/trace_tree.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"

namespace mallocspy {

TraceTree::TraceTree(const NamedStacks& stacks, const std::function<uint64_t(absl::string_view)>& string) : stacks_(stacks) {
  AddFunctions(string);
  NumberNodes();
}

void TraceTree::AddFunctions(const std::function<uint64_t(absl::string_view)>& string) {
  absl::flat_hash_map<std::pair<uint64_t, uint64_t>, uint32_t> index;
  const auto add = [&](const std::string& name, const std::string& file, int line, int column) {
    const std::pair<uint64_t, uint64_t> key = {string(name), string(file)};
    const auto [place, added] = index.try_emplace(key, static_cast<uint32_t>(functions_));
    if (!added) return place->second;
    absl::StrAppend(&function_infos_, functions_ == 0 ? "" : ",\n", functions_, ",", key.first, ",", key.second, ",0,", line, ",", column);
    ++functions_;
    return place->second;
  };
  add("(root)", "", 0, 0);
  for (const NamedSite& site : stacks_.sites()) {
    std::vector<uint32_t>& infos = infos_of_site_.emplace_back();
    for (const Frame& frame : site.frames) {
      infos.push_back(add(FrameName(frame), frame.file.empty() ? frame.module : frame.file, frame.line, frame.column));
    }
  }
}

void TraceTree::NumberNodes() {
  const Snapshot& snapshot = stacks_.snapshot();
  const size_t nodes = snapshot.nodes.size();
  first_id_.resize(nodes);
  counts_.resize(nodes);
  last_child_.resize(nodes);
  sibling_.resize(nodes);
  uint64_t next = 2;  // 1 is the root, 0 is none
  for (uint32_t node = 1; node < nodes; ++node) {
    if (stacks_.SiteOf(node) == NamedStacks::kNoSite) continue;
    first_id_[node] = next;
    next += infos_of_site_[stacks_.SiteOf(node)].size();
    sibling_[node] = std::exchange(last_child_[snapshot.nodes[node].parent], node);
  }
  id_of_stack_.resize(snapshot.stacks.size());
  for (const NamedStack& stack : stacks_.stacks()) {
    counts_[stack.node].allocations += stack.counts.allocations;
    counts_[stack.node].allocated_bytes += stack.counts.allocated_bytes;
    if (stack.node == 0) continue;
    id_of_stack_[stack.index] = first_id_[stack.node] + infos_of_site_[stacks_.SiteOf(stack.node)].size() - 1;
  }
}

// Writes the node up to its children.
void TraceTree::Enter(uint32_t node, ByteSink* sink) const {
  const std::string counts = absl::StrCat(counts_[node].allocations, ",", counts_[node].allocated_bytes, ",[");
  if (node == 0) return sink->Append(absl::StrCat("1,0,", counts));
  const std::vector<uint32_t>& infos = infos_of_site_[stacks_.SiteOf(node)];
  uint64_t id = first_id_[node];
  for (size_t i = infos.size(); i-- > 0;) sink->Append(absl::StrCat(id++, ",", infos[i], ",", i == 0 ? counts : "0,0,["));
}

void TraceTree::WriteTree(ByteSink* sink) const {
  std::vector<std::pair<uint32_t, uint32_t>> path = {{0, last_child_[0]}};  // nodes, and the child of each that comes next
  Enter(0, sink);
  while (!path.empty()) {
    const auto [node, child] = path.back();
    if (child != 0) {
      if (child != last_child_[node]) sink->Append(",\n");
      path.back().second = sibling_[child];
      Enter(child, sink);
      path.emplace_back(child, last_child_[child]);
      continue;
    }
    sink->Append(std::string(node == 0 ? 1 : infos_of_site_[stacks_.SiteOf(node)].size(), ']'));
    path.pop_back();
  }
}

}  // namespace mallocspy

#include "tools/explore/explored_heap.h"

#include <algorithm>
#include <numeric>

namespace mallocspy {

const RootHolders& ExploredHeap::holders() {
  if (holders_ == nullptr) holders_ = std::make_unique<RootHolders>(snapshot_, &namer_);
  return *holders_;
}

const ObjectGraph& ExploredHeap::graph() {
  if (graph_ == nullptr) {
    graph_ = std::make_unique<ObjectGraph>(snapshot_, holders().of_roots(), static_cast<uint32_t>(holders().all().size()));
  }
  return *graph_;
}

const DominatorTree& ExploredHeap::tree() {
  if (tree_ == nullptr) tree_ = std::make_unique<DominatorTree>(snapshot_, graph());
  return *tree_;
}

absl::Status ExploredHeap::NeedGraph() const {
  if (snapshot_.has_graph) return absl::OkStatus();
  return absl::FailedPreconditionError("this snapshot does not have what points to what; one that was made by 'mallocspy dump PID' does");
}

absl::Status ExploredHeap::NeedBlocks() const {
  if (snapshot_.blocks_known) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "this snapshot has no list of blocks, because the process did not write one (it was killed, or still runs): 'stacks' and 'summary' "
      "tell what was counted, and 'mallocspy dump PID' writes the blocks of a running process");
}

std::optional<uint32_t> ExploredHeap::BlockAt(uint64_t address) {
  const std::vector<SnapshotBlock>& blocks = snapshot_.blocks;
  if (by_address_.size() != blocks.size()) {
    by_address_.resize(blocks.size());
    std::iota(by_address_.begin(), by_address_.end(), 0);
    std::stable_sort(by_address_.begin(), by_address_.end(),
                     [&blocks](uint32_t a, uint32_t b) { return blocks[a].address < blocks[b].address; });
  }
  auto next = std::upper_bound(by_address_.begin(), by_address_.end(), address,
                               [&blocks](uint64_t value, uint32_t block) { return value < blocks[block].address; });
  if (next == by_address_.begin()) return std::nullopt;
  const SnapshotBlock& block = blocks[*--next];
  if (address != block.address && address - block.address >= block.size) return std::nullopt;
  return *next;
}

bool ExploredHeap::AnyFunction(uint32_t stack, const std::function<bool(const std::string&)>& matches) {
  size_t frames = 0;
  for (uint32_t node = snapshot_.stacks[stack].node; node != 0 && frames < FrameNamer::kMostFrames;
       node = snapshot_.nodes[node].parent, ++frames) {
    for (const SourceFrame& frame : namer_.SourcesOf(snapshot_, snapshot_.nodes[node].site)) {
      if (!frame.function.empty() && matches(frame.function)) return true;
    }
  }
  return false;
}

const std::vector<uint32_t>& ExploredHeap::live_stacks() {
  if (!live_stacks_.has_value()) {
    std::vector<bool> live(snapshot_.stacks.size());
    for (const SnapshotBlock& block : snapshot_.blocks) live[block.stack] = true;
    live_stacks_.emplace();
    for (uint32_t stack = 0; stack < live.size(); ++stack) {
      if (live[stack]) live_stacks_->push_back(stack);
    }
  }
  return *live_stacks_;
}

}  // namespace mallocspy

#include "tools/explore/explored_heap.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/verdict/public_name.h"

namespace mallocspy {
namespace {

absl::string_view FileName(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? path : path.substr(slash + 1);
}

// Whether it makes blocks on its caller's behalf and says nothing about whose they are.
bool IsLibraryFunction(const std::string& function) {
  // "void std::vector<...>::_M_realloc_insert<...>(...)" begins with what it returns.
  const size_t parameters = function.find('(');
  const absl::string_view name = absl::string_view(function).substr(0, parameters);
  for (const absl::string_view begin : {"std::", "__gnu_cxx::", "operator new"}) {
    const size_t at = name.find(begin);
    const size_t arguments = name.find('<');
    if (at != absl::string_view::npos && (arguments == absl::string_view::npos || at < arguments) && (at == 0 || name[at - 1] == ' ')) {
      return true;
    }
  }
  return false;
}

}  // namespace

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

const std::string& ExploredHeap::FunctionOf(uint32_t stack) {
  if (functions_.empty()) functions_.resize(snapshot_.stacks.size());
  std::string& function = functions_[stack];
  if (function.empty()) function = FindFunction(stack);
  return function;
}

std::string ExploredHeap::FindFunction(uint32_t stack) {
  std::string first;  // of those that say little
  size_t frames = 0;
  for (uint32_t node = snapshot_.stacks[stack].node; node != 0 && frames < FrameNamer::kMostFrames;
       node = snapshot_.nodes[node].parent, ++frames) {
    const uint64_t site = snapshot_.nodes[node].site;
    const SnapshotModule& module = snapshot_.modules[site >> ledger::kSiteModuleShift];
    if (module.self) continue;
    const absl::string_view file = FileName(module.path);
    const bool library = absl::StartsWith(file, "libc.so") || absl::StartsWith(file, "libstdc++.so");
    bool named = false;
    for (const SourceFrame& frame : namer_.SourcesOf(snapshot_, site)) {
      if (frame.function.empty()) continue;
      named = true;
      std::string text(PublicName(frame.function));
      if (frame.line != 0) absl::StrAppend(&text, " ", FileName(frame.file), ":", frame.line);
      if (!library && !IsLibraryFunction(frame.function)) return text;
      if (first.empty()) first = text;
    }
    if (named || library || !first.empty()) continue;
    return absl::StrCat(file, file.empty() ? "" : "+", "0x", absl::Hex(site & ledger::kSiteOffsetMask));
  }
  return first.empty() ? "(unknown)" : first;
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

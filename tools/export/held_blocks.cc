#include "tools/export/held_blocks.h"

#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"

namespace mallocspy {
namespace {

std::string ThreadText(const Snapshot& snapshot, uint32_t tid) {
  for (const SnapshotThread& thread : snapshot.threads) {
    if (thread.tid == tid && !thread.name.empty()) return absl::StrCat("thread ", tid, " (", thread.name, ")");
  }
  return absl::StrCat("thread ", tid);
}

uint32_t ModuleAt(const Snapshot& snapshot, uint64_t address) {
  for (uint32_t i = 1; i < snapshot.modules.size(); ++i) {
    const SnapshotModule& module = snapshot.modules[i];
    if (!module.unloaded && address >= module.start && address < module.end) return i;
  }
  return 0;
}

std::string HolderName(const Snapshot& snapshot, const SnapshotRoot& root, uint32_t module) {
  const std::string& path = snapshot.modules[module].path;
  switch (root.kind) {
    case ledger::RootKind::kGlobal:
      return absl::StrCat("(globals of ", path.empty() ? "no known module" : path.substr(path.rfind('/') + 1), ")");
    case ledger::RootKind::kStack:
      return absl::StrCat("(stack of ", ThreadText(snapshot, root.tid), ")");
    case ledger::RootKind::kRegisters:
      return absl::StrCat("(registers of ", ThreadText(snapshot, root.tid), ")");
    case ledger::RootKind::kThreadLocal:
      return absl::StrCat("(thread-local data of ", ThreadText(snapshot, root.tid), ")");
    case ledger::RootKind::kMapping:
      return "(other mappings)";
    case ledger::RootKind::kUnrecorded:
      return "(blocks without a record)";
    case ledger::RootKind::kIgnored:
      return "(what the program said is no leak)";
    case ledger::RootKind::kNone:
    case ledger::RootKind::kUnanswered:
      break;
  }
  return "(other roots)";
}

class Holding {
 public:
  explicit Holding(const Snapshot& snapshot) : snapshot_(snapshot), held_(snapshot.blocks.size()) {
    // Where the references of each block begin; they are in the order of the blocks.
    first_.resize(snapshot.blocks.size() + 1);
    for (const SnapshotReference& reference : snapshot.references) ++first_[reference.from + 1];
    for (size_t i = 1; i < first_.size(); ++i) first_[i] += first_[i - 1];
  }

  HeldBlocks Take() {
    if (snapshot_.has_graph) {
      for (const SnapshotRootReference& reference : snapshot_.root_references) AddRoot(reference.root, reference.to);
    } else {
      for (uint32_t i = 0; i < held_.size(); ++i) {
        if (snapshot_.blocks[i].root != 0) AddRoot(snapshot_.blocks[i].root, i);
      }
    }
    AddUnheld("(leaked)", ledger::Reach::kDefinite);
    AddUnheld("(leaked)", ledger::Reach::kIndirect);
    AddUnheld("(possibly leaked)", ledger::Reach::kPossible);
    AddUnheld("(reachable)", ledger::Reach::kReachable);
    AddUnheld("(not known what holds them)", ledger::Reach::kUnknown);
    return std::move(result_);
  }

 private:
  void AddRoot(uint32_t index, uint32_t block) {
    const SnapshotRoot& root = snapshot_.roots[index];
    const uint32_t module = root.kind == ledger::RootKind::kGlobal ? ModuleAt(snapshot_, root.address) : 0;
    const auto [place, added] = holders_.try_emplace({root.kind, root.tid, module}, result_.roots.size());
    if (added) result_.roots.push_back({HolderName(snapshot_, root, module), {}});
    result_.roots[place->second].edges.push_back({block, index});
    Follow(block);
  }

  void AddUnheld(const char* name, ledger::Reach reach) {
    for (uint32_t i = 0; i < held_.size(); ++i) {
      if (held_[i] || snapshot_.blocks[i].reach != reach) continue;
      if (result_.unheld.empty() || result_.unheld.back().name != name) result_.unheld.push_back({name, {}});
      result_.unheld.back().edges.push_back({i, 0});
      Follow(i);
    }
  }

  void Follow(uint32_t block) {
    if (held_[block]) return;
    held_[block] = true;
    pending_.push_back(block);
    while (!pending_.empty()) {
      const uint32_t from = pending_.back();
      pending_.pop_back();
      for (size_t i = first_[from]; i < first_[from + 1]; ++i) {
        const uint32_t to = snapshot_.references[i].to;
        if (held_[to]) continue;
        held_[to] = true;
        pending_.push_back(to);
      }
    }
  }

  const Snapshot& snapshot_;
  std::vector<bool> held_;
  std::vector<size_t> first_;
  std::vector<uint32_t> pending_;
  absl::flat_hash_map<std::tuple<ledger::RootKind, uint32_t, uint32_t>, size_t> holders_;
  HeldBlocks result_;
};

}  // namespace

HeldBlocks HoldBlocks(const Snapshot& snapshot) { return Holding(snapshot).Take(); }

}  // namespace mallocspy

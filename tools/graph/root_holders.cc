#include "tools/graph/root_holders.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "absl/strings/str_cat.h"

namespace mallocspy {
namespace {

// Words of other mappings belong together as long as they are no farther apart: an arena, a pool.
constexpr uint64_t kNearBytes = uint64_t{1} << 20;

}  // namespace

absl::string_view NameOf(ledger::RootKind kind) {
  switch (kind) {
    case ledger::RootKind::kGlobal:
      return "global";
    case ledger::RootKind::kStack:
      return "stack";
    case ledger::RootKind::kRegisters:
      return "registers";
    case ledger::RootKind::kThreadLocal:
      return "thread-local";
    case ledger::RootKind::kMapping:
      return "mapping";
    case ledger::RootKind::kUnrecorded:
      return "unrecorded block";
    case ledger::RootKind::kIgnored:
      return "ignored";
    case ledger::RootKind::kNone:
    case ledger::RootKind::kUnanswered:
      return "unknown";
  }
  return "unknown";
}

RootHolders::RootHolders(const Snapshot& snapshot, FrameNamer* namer) : snapshot_(snapshot), of_roots_(snapshot.roots.size(), 0) {
  std::vector<uint32_t> order;
  std::vector<uint32_t> words(snapshot.roots.size(), 0);
  for (const SnapshotRootReference& reference : snapshot.root_references) ++words[reference.root];
  for (uint32_t root = 1; root < words.size(); ++root) order.push_back(root);
  std::sort(order.begin(), order.end(), [&snapshot](uint32_t a, uint32_t b) {
    const SnapshotRoot &x = snapshot.roots[a], &y = snapshot.roots[b];
    return std::tie(x.kind, x.tid, x.address, a) < std::tie(y.kind, y.tid, y.address, b);
  });
  holders_.emplace_back();  // of Snapshot::roots[0]
  uint64_t end = 0;         // of the last holder: where the next one begins at the earliest
  uint64_t last_address = 0;
  for (const uint32_t root : order) {
    const SnapshotRoot& word = snapshot.roots[root];
    const RootHolder& last = holders_.back();
    bool same = last.kind == word.kind && last.tid == word.tid;
    if (word.kind == ledger::RootKind::kGlobal) same = same && word.address < end;
    if (word.kind == ledger::RootKind::kUnrecorded) same = same && word.address == last.address;
    if (word.kind == ledger::RootKind::kMapping) same = same && word.address - last_address <= kNearBytes;
    if (!same) {
      RootHolder& holder = holders_.emplace_back();
      holder.kind = word.kind;
      holder.tid = word.tid;
      holder.address = word.address;
      Describe(&holder, namer, &end);
    }
    last_address = word.address;
    holders_.back().words += words[root];
    of_roots_[root] = static_cast<uint32_t>(holders_.size() - 1);
  }
}

void RootHolders::Describe(RootHolder* holder, FrameNamer* namer, uint64_t* end) const {
  const std::string at = holder->address != 0 ? absl::StrCat(" at 0x", absl::Hex(holder->address)) : "";
  switch (holder->kind) {
    case ledger::RootKind::kGlobal: {
      holder->module = ModuleAt(holder->address);
      const SnapshotModule& module = snapshot_.modules[holder->module];
      *end = holder->address + 1;
      if (holder->module == 0) {
        holder->name = absl::StrCat("data", at);
        return;
      }
      const DataSymbol variable = namer->FindData(module, holder->address - module.bias);
      holder->name = variable.name;
      if (variable.name.empty()) {
        holder->name = absl::StrCat("data of ", ModuleName(holder->module), at);
      } else {
        holder->start = variable.start + module.bias;
        *end = variable.end + module.bias;
      }
      return;
    }
    case ledger::RootKind::kStack:
      holder->name = absl::StrCat("stack of ", ThreadText(holder->tid));
      return;
    case ledger::RootKind::kRegisters:
      holder->name = absl::StrCat("registers of ", ThreadText(holder->tid));
      return;
    case ledger::RootKind::kThreadLocal:
      holder->name = absl::StrCat("thread-local data of ", ThreadText(holder->tid));
      return;
    case ledger::RootKind::kMapping:
      holder->name = absl::StrCat("mapping", at);
      return;
    case ledger::RootKind::kUnrecorded:
      holder->name = absl::StrCat("unrecorded block", at);
      return;
    case ledger::RootKind::kIgnored:
      holder->name = "what the program said is no leak";
      return;
    case ledger::RootKind::kNone:
    case ledger::RootKind::kUnanswered:
      holder->name = absl::StrCat("memory of no known kind", at);
      return;
  }
}

std::string RootHolders::NameOfWord(uint32_t root) const {
  const RootHolder& holder = Of(root);
  const uint64_t address = snapshot_.roots[root].address;
  std::string name = holder.name;
  if (holder.start != 0) {
    if (address != holder.start) absl::StrAppend(&name, "+0x", absl::Hex(address - holder.start));
    absl::StrAppend(&name, " in ", ModuleName(holder.module));
  } else if (holder.tid != 0 && address != 0) {
    absl::StrAppend(&name, " at 0x", absl::Hex(address));
  } else if (address != 0 && address != holder.address) {
    absl::StrAppend(&name, "+0x", absl::Hex(address - holder.address));
  }
  return name;
}

std::string RootHolders::ThreadText(uint32_t tid) const {
  for (const SnapshotThread& thread : snapshot_.threads) {
    if (thread.tid == tid && !thread.name.empty()) return absl::StrCat("thread ", tid, " \"", thread.name, "\"");
  }
  return absl::StrCat("thread ", tid);
}

std::string RootHolders::ModuleName(uint32_t module) const {
  const std::string& path = snapshot_.modules[module].path;
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

uint32_t RootHolders::ModuleAt(uint64_t address) const {
  for (uint32_t i = 1; i < snapshot_.modules.size(); ++i) {
    const SnapshotModule& module = snapshot_.modules[i];
    if (!module.unloaded && address >= module.start && address < module.end) return i;
  }
  return 0;
}

}  // namespace mallocspy

#include "tools/reader/reader.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tools/reader/table_reader.h"

namespace mallocspy {
namespace {

using ledger::Header;
using ledger::TableId;

// More than any real process has, and few enough to hold in memory.
constexpr uint64_t kMostNodes = uint64_t{1} << 28;
constexpr uint64_t kMostStacks = uint64_t{1} << 26;
constexpr uint64_t kMostCounterBanks = uint64_t{1} << 26;
constexpr uint64_t kMostModules = uint64_t{1} << 16;
constexpr uint64_t kMostThreads = uint64_t{1} << 20;
constexpr uint64_t kMostErrors = uint64_t{1} << 20;
constexpr uint64_t kMostRoots = uint64_t{1} << 20;
constexpr uint64_t kMostHandovers = uint64_t{1} << 16;
constexpr uint64_t kMostReferenceCalls = uint64_t{1} << 24;
constexpr uint64_t kMostBlocks = uint64_t{1} << 28;
constexpr uint64_t kMostReferences = uint64_t{1} << 30;
constexpr uint64_t kMostRootReferences = uint64_t{1} << 26;
constexpr uint64_t kMostTypes = uint64_t{1} << 16;
constexpr uint64_t kMostMarks = uint64_t{1} << 20;
constexpr uint64_t kMostStringBytes = uint64_t{1} << 31;
constexpr uint64_t kLongestString = uint64_t{1} << 20;

// A ledger with more damaged records than this is not worth a report.
constexpr uint64_t kMostDamaged = 1000;

// The process may end while it is read; the second look then sees the end.
constexpr int kTries = 3;

bool IsDoor(uint8_t door) { return door < kDoors; }

// Not copyable, because its counters are atomic.
class HeaderImage {
 public:
  bool Read(const ByteSource& source) { return source.Read(0, bytes_, sizeof(bytes_)); }
  const Header& operator*() const { return *reinterpret_cast<const Header*>(bytes_); }
  const Header* operator->() const { return &**this; }

 private:
  alignas(Header) unsigned char bytes_[sizeof(Header)] = {};
};

absl::Status CheckHeader(const ByteSource& source, HeaderImage* header) {
  uint64_t magic = 0;
  if (source.Size() == 0) return absl::InvalidArgumentError("is empty: no process wrote its ledger into it");
  if (!source.Read(0, &magic, sizeof(magic)) || magic != ledger::kMagic) {
    if (static_cast<uint32_t>(magic) == static_cast<uint32_t>(ledger::kMagic)) {
      return absl::DataLossError("was changed by a copy as text: copy it again, as binary");
    }
    return absl::InvalidArgumentError("is not a mallocspy snapshot");
  }
  if (!header->Read(source)) return absl::DataLossError("is cut off: not even its header is whole");
  if ((*header)->version != ledger::kVersion && (*header)->version != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "has version ", (*header)->version, " of the format, which is ", (*header)->version > ledger::kVersion ? "newer" : "older",
        " than this mallocspy (it knows ", ledger::kVersion, "): use the mallocspy command that belongs to that libmallocspy.so"));
  }
  if ((*header)->version != ledger::kVersion || (*header)->header_bytes != sizeof(Header)) {
    return absl::DataLossError("is damaged: its header contradicts itself");
  }
  return absl::OkStatus();
}

void AddTo(SnapshotStack* stack, const ledger::Counters& counters) {
  stack->allocations += counters.allocations.load(std::memory_order_relaxed);
  stack->allocated_bytes += counters.allocated_bytes.load(std::memory_order_relaxed);
  stack->frees += counters.frees.load(std::memory_order_relaxed);
  stack->freed_bytes += counters.freed_bytes.load(std::memory_order_relaxed);
}

// Reads one picture into one snapshot.
class Reading {
 public:
  // Counts come from `counts`, places from `places`, which is the same header read later: what a table counted at
  // first lies in extents that it has by then.
  Reading(const ByteSource& source, const Header& counts, const Header& places, Snapshot* snapshot)
      : source_(source), counts_(counts), places_(places), out_(*snapshot) {}

  absl::Status Run();

 private:
  TableReader Table(TableId id, absl::string_view name, uint32_t record_bytes);
  std::string String(ledger::StringRef reference);
  void ReadFields();
  absl::Status ReadModules();
  absl::Status ReadNodes();
  absl::Status ReadStacks();
  absl::Status ReadCounters();
  absl::Status ReadPeak();
  absl::Status ReadThreads();
  absl::Status ReadErrors();
  absl::Status ReadRoots();
  absl::Status ReadHandovers();
  absl::Status ReadReferenceCalls();
  absl::Status ReadMarks();
  absl::Status ReadTypes();
  absl::Status ReadBlocks();
  absl::Status ReadReferences();
  absl::Status ReadRootReferences();
  absl::Status ReadContents();
  // A list behind the extents, as a table of one extent that does not grow.
  TableReader List(ledger::List list, absl::string_view name, uint32_t record_bytes);
  // A node, or the root if there is no such node.
  uint32_t Node(uint32_t index) { return Valid(index < out_.nodes.size()) ? index : 0; }
  bool Valid(bool valid) {
    if (!valid) ++out_.damaged_records;
    return valid;
  }

  const ByteSource& source_;
  const Header& counts_;
  const Header& places_;
  Snapshot& out_;
  absl::flat_hash_map<uint64_t, size_t> error_places_;  // from an error's index in the file to that in out_
  std::unique_ptr<TableReader> strings_;
  const ledger::Peak* peak_ = nullptr;  // the copy that is whole
  uint64_t limit_bytes_ = 0;
};

TableReader Reading::Table(TableId id, absl::string_view name, uint32_t record_bytes) {
  ledger::Table table = {};
  const ledger::Table& counted = counts_.tables[static_cast<size_t>(id)];
  const ledger::Table& placed = places_.tables[static_cast<size_t>(id)];
  table.count.store(counted.count.load(std::memory_order_relaxed), std::memory_order_relaxed);
  table.record_bytes = counted.record_bytes;
  table.first_records = counted.first_records;
  std::copy(std::begin(placed.extents), std::end(placed.extents), table.extents);
  return TableReader(source_, name, table, record_bytes, limit_bytes_);
}

absl::Status Reading::Run() {
  const uint64_t used = places_.used_bytes.load(std::memory_order_relaxed);
  if (used < sizeof(Header)) return absl::DataLossError("is damaged: it claims to be smaller than its header");
  if (used > source_.Size()) {
    return absl::DataLossError(absl::StrCat("is cut off: ", source_.Size(), " of ", used, " bytes are there"));
  }
  limit_bytes_ = used;
  strings_ = std::make_unique<TableReader>(Table(TableId::kStrings, "strings", 1));
  absl::Status status = strings_->Check(kMostStringBytes);
  if (status.ok()) ReadFields();
  for (auto step : {&Reading::ReadModules, &Reading::ReadNodes, &Reading::ReadStacks, &Reading::ReadCounters, &Reading::ReadPeak, &Reading::ReadThreads,
                    &Reading::ReadErrors, &Reading::ReadRoots, &Reading::ReadHandovers, &Reading::ReadReferenceCalls, &Reading::ReadMarks, &Reading::ReadTypes,
                    &Reading::ReadBlocks, &Reading::ReadReferences, &Reading::ReadRootReferences, &Reading::ReadContents}) {
    if (status.ok()) status = (this->*step)();
  }
  if (status.ok() && out_.damaged_records > kMostDamaged) {
    return absl::DataLossError(absl::StrCat("is damaged: ", out_.damaged_records, " of its records are impossible"));
  }
  return status;
}

std::string Reading::String(ledger::StringRef reference) {
  std::string text;
  if (!Valid(strings_->ReadString(reference, kLongestString, &text))) text.clear();
  return text;
}

void Reading::ReadFields() {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  out_.state = counts_.state.load(kRelaxed);
  if (!Valid(out_.state >= ledger::State::kRunning && out_.state <= ledger::State::kEnded)) {
    out_.state = ledger::State::kRunning;
  }
  out_.end = counts_.end.load(kRelaxed);
  if (!Valid(out_.end <= ledger::End::kPicture)) out_.end = ledger::End::kNone;
  out_.end_value = counts_.end_value.load(kRelaxed);
  out_.origin = counts_.origin;
  if (!Valid(out_.origin <= ledger::Origin::kFork)) out_.origin = ledger::Origin::kStart;
  out_.pid = counts_.pid;
  out_.parent_pid = counts_.parent_pid;
  out_.started_ns = counts_.started_ns;
  out_.ended_ns = counts_.ended_ns;
  out_.exe = String(counts_.exe);
  out_.exec_path = String(counts_.exec_path);
  out_.spy = String(counts_.spy);
  out_.options = String(counts_.options);
  const std::string cmdline = String(counts_.cmdline);
  if (!cmdline.empty()) {
    out_.cmdline = absl::StrSplit(cmdline, '\0');
    if (cmdline.back() == '\0') out_.cmdline.pop_back();
  }
  out_.interposed = counts_.interposed != 0;
  out_.base_mark = counts_.base_mark;
  out_.guard = counts_.guard != 0;
  out_.leaks_off = counts_.leaks_off != 0;
  out_.suppressions = String(counts_.suppressions);
  if (Valid(counts_.reachability <= ledger::Marking::kPartial)) out_.marking = counts_.reachability;
  out_.degraded = counts_.degraded.load(kRelaxed);
  out_.foreign_frees = counts_.foreign_frees.load(kRelaxed);
  out_.inherited_frees = counts_.inherited_frees.load(kRelaxed);
  out_.bypassed = counts_.bypassed.load(kRelaxed);
  out_.truncated = counts_.truncated.load(kRelaxed);
  out_.errors_dropped = counts_.errors_dropped.load(kRelaxed);
  out_.unfollowed_forks = counts_.unfollowed_forks.load(kRelaxed);
  out_.page_guarded = counts_.page_guarded.load(kRelaxed);
  for (uint32_t i = 0; i < ledger::kBytesOnlyReasons; ++i) out_.bytes_only[i] = counts_.bytes_only[i].load(kRelaxed);
  out_.mapping_limit = counts_.mapping_limit;
  out_.peak_bytes = static_cast<uint64_t>(std::max<int64_t>(0, counts_.peak_bytes.load(kRelaxed)));
}

absl::Status Reading::ReadModules() {
  const TableReader table = Table(TableId::kModules, "modules", sizeof(ledger::Module));
  const absl::Status status = table.Check(kMostModules);
  if (!status.ok()) return status;
  out_.modules.emplace_back();
  return table.ForEach<ledger::Module>(1, [this](uint64_t, const ledger::Module& module) {
    SnapshotModule& copy = out_.modules.emplace_back();
    copy.start = module.start;
    copy.end = module.end;
    copy.bias = module.bias;
    copy.path = String(module.path);
    if (Valid(module.build_id_bytes <= sizeof(module.build_id))) {
      copy.build_id.assign(reinterpret_cast<const char*>(module.build_id), module.build_id_bytes);
    }
    copy.executable = (module.flags & ledger::kModuleExecutable) != 0;
    copy.self = (module.flags & ledger::kModuleSelf) != 0;
    copy.unloaded = module.unloaded != 0;
  });
}

absl::Status Reading::ReadNodes() {
  const TableReader table = Table(TableId::kNodes, "stack frames", sizeof(ledger::Node));
  const absl::Status status = table.Check(kMostNodes);
  if (!status.ok()) return status;
  out_.nodes.emplace_back();
  const absl::Status read = table.ForEach<ledger::Node>(1, [this](uint64_t index, const ledger::Node& node) {
    SnapshotNode copy{node.site, node.parent};
    if (!Valid((copy.site >> ledger::kSiteModuleShift) < out_.modules.size())) copy.site &= ledger::kSiteOffsetMask;
    // Callers are recorded before callees, so the rule also excludes cycles.
    if (!Valid(copy.parent < index)) copy.parent = 0;
    out_.nodes.push_back(copy);
  });
  out_.end_node = Node(counts_.end_node.load(std::memory_order_relaxed));
  return read;
}

absl::Status Reading::ReadStacks() {
  const TableReader table = Table(TableId::kStacks, "stacks", sizeof(ledger::Stack));
  const absl::Status status = table.Check(kMostStacks);
  if (!status.ok()) return status;
  const uint32_t side = counts_.peak_side.load(std::memory_order_relaxed);
  if (Valid(side <= ledger::kSecondPeak) && side != ledger::kNoPeak) peak_ = &counts_.peaks[side - 1];
  const absl::Status read = table.ForEach<ledger::Stack>(0, [this, side](uint64_t index, const ledger::Stack& stack) {
    SnapshotStack& copy = out_.stacks.emplace_back();
    copy.node = Node(stack.node);
    if (Valid(IsDoor(stack.door))) copy.door = static_cast<Door>(stack.door);
    copy.truncated = (stack.flags & ledger::kStackTruncated) != 0;
    AddTo(&copy, stack.shared);
    if (peak_ == nullptr || index >= peak_->stacks) return;
    const ledger::PeakCounters& peak = stack.peaks[side - 1];
    // Of counters of different moments frees may be ahead.
    copy.peak_blocks = static_cast<uint64_t>(std::max<int64_t>(0, static_cast<int64_t>(peak.live_blocks)));
    copy.peak_bytes = static_cast<uint64_t>(std::max<int64_t>(0, static_cast<int64_t>(peak.live_bytes)));
  });
  if (out_.stacks.empty()) out_.stacks.emplace_back();
  return read;
}

absl::Status Reading::ReadCounters() {
  const TableReader table = Table(TableId::kCounters, "counters", sizeof(ledger::CounterBank));
  const absl::Status status = table.Check(kMostCounterBanks);
  if (!status.ok()) return status;
  return table.ForEach<ledger::CounterBank>(1, [this](uint64_t, const ledger::CounterBank& bank) {
    for (uint64_t i = 0; i < ledger::kStacksPerBank; ++i) {
      // A bank is as long as all of them: behind the last stack there is nothing.
      const uint64_t stack = bank.first_stack + i;
      if (stack < out_.stacks.size()) {
        AddTo(&out_.stacks[stack], bank.counters[i]);
      } else if (!Valid(bank.counters[i].allocations.load(std::memory_order_relaxed) == 0)) {
        return;
      }
    }
  });
}

// A process that never had more than now needed no copy of a peak.
absl::Status Reading::ReadPeak() {
  uint64_t live_bytes = 0;
  for (const SnapshotStack& stack : out_.stacks) {
    live_bytes += stack.live_bytes();
    out_.events_bytes += stack.allocated_bytes + stack.freed_bytes;
    out_.peak.blocks += stack.peak_blocks;
    out_.peak.bytes += stack.peak_bytes;
  }
  if (peak_ != nullptr) out_.peak.events_bytes = peak_->events_bytes;
  if (out_.peak.bytes > live_bytes) return absl::OkStatus();
  out_.peak = {0, live_bytes, out_.events_bytes, true};
  for (SnapshotStack& stack : out_.stacks) {
    stack.peak_blocks = stack.live_blocks();
    stack.peak_bytes = stack.live_bytes();
    out_.peak.blocks += stack.peak_blocks;
  }
  return absl::OkStatus();
}

absl::Status Reading::ReadThreads() {
  const TableReader table = Table(TableId::kThreads, "threads", sizeof(ledger::Thread));
  const absl::Status status = table.Check(kMostThreads);
  if (!status.ok()) return status;
  return table.ForEach<ledger::Thread>(1, [this](uint64_t, const ledger::Thread& thread) {
    const int64_t most = counts_.live_bytes.load(std::memory_order_relaxed) + thread.peak_bytes.load(std::memory_order_relaxed);
    if (most > 0) out_.peak_bytes = std::max(out_.peak_bytes, static_cast<uint64_t>(most));
    if (thread.state == 0) return;
    out_.threads.push_back({thread.tid, std::string(thread.name, strnlen(thread.name, sizeof(thread.name)))});
  });
}

absl::Status Reading::ReadErrors() {
  const TableReader table = Table(TableId::kErrors, "errors", sizeof(ledger::Error));
  const absl::Status status = table.Check(kMostErrors);
  if (!status.ok()) return status;
  return table.ForEach<ledger::Error>(1, [this](uint64_t index, const ledger::Error& error) {
    if (error.kind == 0) return;  // reserved, never filled
    if (!Valid(error.kind <= static_cast<uint32_t>(ledger::kLastErrorKind))) return;
    SnapshotError& copy = out_.errors.emplace_back();
    error_places_[index] = out_.errors.size() - 1;
    copy.kind = static_cast<ledger::ErrorKind>(error.kind);
    if (Valid(IsDoor(error.block_door))) copy.block_door = static_cast<Door>(error.block_door);
    if (Valid(IsDoor(error.used_door))) copy.used_door = static_cast<Door>(error.used_door);
    copy.address = error.address;
    copy.size = error.size;
    copy.value = error.value;
    copy.where = Node(error.where);
    copy.allocated = Node(error.allocated);
    copy.freed = Node(error.freed);
    copy.tid = error.tid;
    copy.trapped = (error.flags & ledger::kErrorTrapped) != 0;
    copy.detail = String(error.detail);
    copy.count = std::max<uint64_t>(1, error.count.load(std::memory_order_relaxed));
  });
}

absl::Status Reading::ReadRoots() {
  const TableReader table = Table(TableId::kRoots, "roots", sizeof(ledger::Root));
  const absl::Status status = table.Check(kMostRoots);
  out_.roots.resize(1);
  if (!status.ok() || table.empty()) return status;
  return table.ForEach<ledger::Root>(1, [this](uint64_t, const ledger::Root& root) {
    SnapshotRoot& copy = out_.roots.emplace_back();
    copy.tid = root.tid;
    copy.address = root.address;
    if (Valid(root.kind <= ledger::RootKind::kIgnored)) copy.kind = root.kind;
  });
}

absl::Status Reading::ReadHandovers() {
  const TableReader table = Table(TableId::kHandovers, "handovers", sizeof(ledger::Handover));
  const absl::Status status = table.Check(kMostHandovers);
  if (!status.ok() || table.empty()) return status;
  return table.ForEach<ledger::Handover>(1, [this](uint64_t, const ledger::Handover& handover) {
    if (!Valid(handover.maker < out_.modules.size() && handover.freer < out_.modules.size())) return;
    if (!Valid(IsDoor(handover.made) && IsDoor(handover.freed))) return;
    SnapshotHandover& copy = out_.handovers.emplace_back();
    copy.maker = handover.maker;
    copy.freer = handover.freer;
    copy.made = static_cast<Door>(handover.made);
    copy.freed = static_cast<Door>(handover.freed);
    copy.blocks = handover.blocks.load(std::memory_order_relaxed);
    copy.bytes = handover.bytes.load(std::memory_order_relaxed);
  });
}

absl::Status Reading::ReadReferenceCalls() {
  const TableReader table = Table(TableId::kReferenceCalls, "reference calls", sizeof(ledger::ReferenceCall));
  const absl::Status status = table.Check(kMostReferenceCalls);
  if (!status.ok() || table.empty()) return status;
  return table.ForEach<ledger::ReferenceCall>(1, [this](uint64_t, const ledger::ReferenceCall& call) {
    const auto error = error_places_.find(call.error);
    if (!Valid(error != error_places_.end())) return;
    out_.errors[error->second].references.push_back({Node(call.node), call.added, call.released});
  });
}

absl::Status Reading::ReadMarks() {
  const TableReader table = Table(TableId::kMarks, "marks", sizeof(ledger::Mark));
  const absl::Status status = table.Check(kMostMarks);
  out_.marks_dropped = counts_.marks_dropped;
  out_.next_mark = counts_.next_mark;
  if (!status.ok() || table.empty()) return status;
  return table.ForEach<ledger::Mark>(1, [this](uint64_t, const ledger::Mark& mark) {
    if (!Valid(out_.marks.empty() || out_.marks.back().number < mark.number)) return;
    out_.marks.push_back({mark.number, mark.began_ns, mark.live_bytes, String(mark.name)});
  });
}

TableReader Reading::List(ledger::List list, absl::string_view name, uint32_t record_bytes) {
  ledger::Table table = {};
  table.count.store(list.count, std::memory_order_relaxed);
  table.record_bytes = record_bytes;
  table.first_records = uint32_t{1} << 31;
  table.extents[0] = list.offset;
  return TableReader(source_, name, table, record_bytes, limit_bytes_);
}

absl::Status Reading::ReadTypes() {
  out_.types.resize(1);
  out_.has_graph = counts_.has_graph != 0 && counts_.state.load(std::memory_order_relaxed) == ledger::State::kEnded;
  if (!out_.has_graph || counts_.types.count == 0) return absl::OkStatus();
  const TableReader list = List(counts_.types, "types", sizeof(ledger::Type));
  const absl::Status status = list.Check(kMostTypes);
  if (!status.ok()) return status;
  return list.ForEach<ledger::Type>(0, [this](uint64_t, const ledger::Type& type) {
    SnapshotType& copy = out_.types.emplace_back();
    copy.module = static_cast<uint32_t>(type.site >> ledger::kSiteModuleShift);
    if (!Valid(copy.module < out_.modules.size())) copy.module = 0;
    copy.offset = type.site & ledger::kSiteOffsetMask;
  });
}

absl::Status Reading::ReadBlocks() {
  out_.blocks_known = out_.state == ledger::State::kEnded && (out_.degraded & ledger::kBlocksUnwritten) == 0;
  if (!out_.blocks_known || counts_.blocks_count == 0) return absl::OkStatus();
  if (counts_.blocks_offset == 0) return absl::DataLossError("is damaged: its blocks lie nowhere");
  const TableReader list = List({counts_.blocks_offset, counts_.blocks_count}, "blocks", sizeof(ledger::Block));
  const absl::Status status = list.Check(kMostBlocks);
  if (!status.ok()) return status;
  out_.blocks.reserve(counts_.blocks_count);
  return list.ForEach<ledger::Block>(0, [this](uint64_t, const ledger::Block& block) {
    SnapshotBlock copy{block.address, block.size, block.stack, block.mark, Door::kNone, block.flags};
    if (!Valid(copy.stack < out_.stacks.size())) copy.stack = 0;
    if (Valid(IsDoor(block.door))) copy.door = static_cast<Door>(block.door);
    if (Valid(block.reach <= ledger::Reach::kReachable)) copy.reach = block.reach;
    if (Valid(block.holder < out_.roots.size())) copy.root = block.holder;
    if (Valid(block.shape <= ledger::kLastShape)) copy.shape = block.shape;
    if (Valid(block.type < out_.types.size())) copy.type = block.type;
    out_.blocks.push_back(copy);
  });
}

absl::Status Reading::ReadReferences() {
  if (!out_.has_graph || counts_.references.count == 0) return absl::OkStatus();
  const TableReader list = List(counts_.references, "references", sizeof(ledger::Reference));
  const absl::Status status = list.Check(kMostReferences);
  if (!status.ok()) return status;
  out_.references.reserve(counts_.references.count);
  return list.ForEach<ledger::Reference>(0, [this](uint64_t, const ledger::Reference& reference) {
    if (!Valid(reference.from < out_.blocks.size() && reference.to < out_.blocks.size())) return;
    if (!Valid(out_.references.empty() || out_.references.back().from <= reference.from)) return;
    out_.references.push_back({reference.from, reference.to, reference.word, reference.offset});
  });
}

absl::Status Reading::ReadRootReferences() {
  if (!out_.has_graph || counts_.root_references.count == 0) return absl::OkStatus();
  const TableReader list = List(counts_.root_references, "root references", sizeof(ledger::RootReference));
  const absl::Status status = list.Check(kMostRootReferences);
  if (!status.ok()) return status;
  return list.ForEach<ledger::RootReference>(0, [this](uint64_t, const ledger::RootReference& reference) {
    if (!Valid(reference.to < out_.blocks.size() && reference.kind <= ledger::RootKind::kIgnored)) return;
    const bool same = !out_.root_references.empty() && out_.roots.back().address == reference.address && reference.address != 0;
    if (!same) out_.roots.push_back({reference.kind, reference.tid, reference.address});
    out_.root_references.push_back({static_cast<uint32_t>(out_.roots.size() - 1), reference.to, reference.offset});
  });
}

absl::Status Reading::ReadContents() {
  if (!out_.has_graph || !Valid(counts_.contents <= ledger::Contents::kFull)) return absl::OkStatus();
  out_.contents = counts_.contents;
  if (out_.contents == ledger::Contents::kFull) {
    out_.content_bytes = counts_.content_bytes;
    const bool there = out_.content_bytes.offset <= limit_bytes_ && out_.content_bytes.count <= limit_bytes_ - out_.content_bytes.offset;
    return there ? absl::OkStatus() : absl::DataLossError("is damaged: the blocks' contents lie behind its end");
  }
  if (out_.contents != ledger::Contents::kPointers || counts_.content_words.count == 0) return absl::OkStatus();
  const TableReader list = List(counts_.content_words, "contents", sizeof(ledger::ContentWord));
  const absl::Status status = list.Check(kMostReferences);
  if (!status.ok()) return status;
  out_.content_words.reserve(counts_.content_words.count);
  return list.ForEach<ledger::ContentWord>(0, [this](uint64_t, const ledger::ContentWord& word) {
    if (!Valid(word.block < out_.blocks.size())) return;
    if (!Valid(out_.content_words.empty() || out_.content_words.back().block <= word.block)) return;
    out_.content_words.push_back({word.block, word.word, word.value});
  });
}

}  // namespace

absl::StatusOr<Snapshot> ReadSnapshot(const ByteSource& source, const std::string& name) {
  absl::Status status;
  for (int i = 0; i < kTries; ++i) {
    HeaderImage counts, places, after;
    status = CheckHeader(source, &counts);
    if (!status.ok()) break;
    status = CheckHeader(source, &places);
    if (!status.ok()) break;
    Snapshot snapshot;
    snapshot.file = name;
    status = Reading(source, *counts, *places, &snapshot).Run();
    const bool changed = after.Read(source) &&
                         after->state.load(std::memory_order_relaxed) != counts->state.load(std::memory_order_relaxed);
    if (changed && i + 1 < kTries) continue;
    if (status.ok()) return snapshot;
    break;
  }
  return absl::Status(status.code(), absl::StrCat(name, " ", status.message()));
}

absl::StatusOr<Snapshot> ReadSnapshotFile(const std::string& path) {
  absl::StatusOr<std::unique_ptr<FileSource>> source = FileSource::Open(path);
  if (!source.ok()) return source.status();
  return ReadSnapshot(**source, path);
}

}  // namespace mallocspy

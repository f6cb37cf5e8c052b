#include "allocator/ledger/ledger.h"

#include <cstring>

#include "allocator/system/os_memory.h"

namespace mallocspy::ledger {

constinit Ledger g_ledger;

namespace {

constexpr uint32_t kMaxIndex = uint32_t{1} << 31;

void Clear(Counters* counters) {
  counters->allocations.store(0, std::memory_order_relaxed);
  counters->allocated_bytes.store(0, std::memory_order_relaxed);
  counters->frees.store(0, std::memory_order_relaxed);
  counters->freed_bytes.store(0, std::memory_order_relaxed);
}

constexpr uint64_t FirstExtentBytes(TableId table) {
  const TableShape& shape = kShapes[static_cast<size_t>(table)];
  return RoundUp(uint64_t{shape.record_bytes} * shape.first_records, kPageBytes);
}

// A table of `table_bytes` grows by `bytes` at `offset`: if it comes to pages that nobody used yet, several of them are made at a time.
void PopulateAhead(unsigned char* table, uint64_t table_bytes, uint64_t offset, uint64_t bytes) {
  constexpr uint64_t kAheadBytes = 16 * kPageBytes;
  const uint64_t from = RoundUp(offset, kAheadBytes);
  if (from >= offset + bytes || table_bytes <= kAheadBytes) return;
  Populate(table + from, table_bytes - from < kAheadBytes ? table_bytes - from : kAheadBytes);
}

}  // namespace

void Ledger::FormatTables() {
  for (size_t i = 0; i < static_cast<size_t>(TableId::kCount); ++i) {
    Table& table = header_->tables[i];
    table.record_bytes = kShapes[i].record_bytes;
    table.first_records = kShapes[i].first_records;
  }
}

bool Ledger::Create(const char* directory, uint32_t pid, bool visible) {
  const uint64_t tables_bytes = FirstExtentBytes(TableId::kNodes) + FirstExtentBytes(TableId::kStacks);
  const bool shared = directory != nullptr ? memory_.CreateNamed(directory, pid, kPageBytes, tables_bytes)
                                           : visible && memory_.CreateAnonymous(kPageBytes, tables_bytes);
  if (!shared && !memory_.CreatePrivate(kPageBytes)) return false;
  header_ = static_cast<Header*>(memory_.base());
  header_->magic = kMagic;
  header_->version = kVersion;
  header_->header_bytes = sizeof(Header);
  header_->pid = pid;
  header_->base_mark = 1;
  header_->state.store(State::kRunning, std::memory_order_relaxed);
  header_->used_bytes.store(memory_.used_bytes(), std::memory_order_relaxed);
  FormatTables();
  if (directory != nullptr && !shared) SetDegraded(kLedgerPrivate);
  // Record 0 of a table is read like any other.
  if (Reserve(TableId::kNodes) == 0 || Reserve(TableId::kStacks) == 0) return false;
  Publish(TableId::kNodes, 1);
  Publish(TableId::kStacks, 1);
  return true;
}

uint32_t Ledger::Reserve(TableId table, uint32_t records) {
  const TableShape& shape = kShapes[static_cast<size_t>(table)];
  uint64_t index = Count(table);
  if (index == 0) index = 1;  // record 0 stands for "none"
  uint32_t extent = ExtentOf(static_cast<uint32_t>(index), shape.first_records);
  // Consecutive records stay in one extent: a string never crosses two.
  while (index + records > ExtentStart(extent, shape.first_records) + ExtentRecords(extent, shape.first_records)) {
    ++extent;
    index = ExtentStart(extent, shape.first_records);
  }
  if (index + records > kMaxIndex) {
    SetDegraded(kLedgerFull);
    return 0;
  }
  for (uint32_t e = 0; e <= extent; ++e) {
    std::atomic<unsigned char*>& start = extents_[static_cast<size_t>(table)][e];
    if (start.load(std::memory_order_relaxed) != nullptr) continue;
    uint64_t offset;
    void* memory = memory_.Extend(ExtentRecords(e, shape.first_records) * shape.record_bytes, &offset);
    if (memory == nullptr) {
      SetDegraded(kLedgerFull);
      return 0;
    }
    // The offset first: the child of a fork that happens here copies every extent that it knows to its offset.
    TableOf(table).extents[e] = offset;
    header_->used_bytes.store(memory_.used_bytes(), std::memory_order_release);
    start.store(static_cast<unsigned char*>(memory), std::memory_order_release);
  }
  if (!memory_.named()) {  // a file's pages are there
    const uint64_t bytes = ExtentRecords(extent, shape.first_records) * shape.record_bytes;
    PopulateAhead(extents_[static_cast<size_t>(table)][extent].load(std::memory_order_relaxed), bytes,
                  (index - ExtentStart(extent, shape.first_records)) * shape.record_bytes, records * shape.record_bytes);
  }
  return static_cast<uint32_t>(index);
}

void Ledger::Publish(TableId table, uint32_t end) { TableOf(table).count.store(end, std::memory_order_release); }

StringRef Ledger::AddString(const char* text, size_t length) {
  if (length == 0 || length > UINT16_MAX * 16) return {};
  const uint32_t size = static_cast<uint32_t>(length);
  const uint32_t index = Reserve(TableId::kStrings, size);
  if (index == 0) return {};
  std::memcpy(Address(TableId::kStrings, index), text, length);
  Publish(TableId::kStrings, index + size);
  return {index, size};
}

void Ledger::ForgetLaterRecords() {
  for (size_t t = 0; t < static_cast<size_t>(TableId::kCount); ++t) {
    Table& table = header_->tables[t];
    uint64_t capacity = 0;
    for (uint32_t e = 0; e < kMaxExtents; ++e) {
      if (extents_[t][e].load(std::memory_order_relaxed) == nullptr) {
        table.extents[e] = 0;
      } else {
        capacity = ExtentStart(e, kShapes[t].first_records) + ExtentRecords(e, kShapes[t].first_records);
      }
    }
    if (table.count.load(std::memory_order_relaxed) > capacity) table.count.store(capacity, std::memory_order_relaxed);
  }
  const uint32_t nodes = Count(TableId::kNodes);
  const uint32_t stacks = Count(TableId::kStacks);
  const uint32_t modules = Count(TableId::kModules);
  const uint32_t strings = Count(TableId::kStrings);
  for (uint32_t i = 0; i < nodes; ++i) {
    Node* node = At<Node>(TableId::kNodes, i);
    if (node->stack >= stacks) node->stack = 0;
    if (const uint64_t module = node->site >> kSiteModuleShift; module != 0 && module >= modules) node->site = 0;
  }
  for (uint32_t i = 0; i < stacks; ++i) {
    Stack* stack = At<Stack>(TableId::kStacks, i);
    if (stack->node >= nodes) stack->node = 0;
  }
  for (uint32_t i = 1; i < modules; ++i) {
    Module* module = At<Module>(TableId::kModules, i);
    if (uint64_t{module->path.offset} + module->path.length > strings) module->path = {};
  }
}

uint64_t Ledger::EndOfExtents() const {
  uint64_t end = kPageBytes;
  for (size_t t = 0; t < static_cast<size_t>(TableId::kCount); ++t) {
    const Table& table = header_->tables[t];
    for (uint32_t e = 0; e < kMaxExtents && extents_[t][e].load(std::memory_order_relaxed) != nullptr; ++e) {
      const uint64_t bytes = RoundUp(ExtentRecords(e, kShapes[t].first_records) * kShapes[t].record_bytes, kPageBytes);
      if (table.extents[e] + bytes > end) end = table.extents[e] + bytes;
    }
  }
  return end;
}

void Ledger::MoveTo(const LedgerMemory& memory) {
  // The process that we come from may go on writing to what we read. Whatever this one refers to existed when they parted and is complete;
  // records added since may come over whole, as zeros, or not at all, and ForgetLaterRecords() cuts what points to them.
  unsigned char* base = static_cast<unsigned char*>(memory.base());
  const PeakSide peak_side = header_->peak_side.load(std::memory_order_acquire);  // what it copies meanwhile is the other side
  for (size_t t = 0; t < static_cast<size_t>(TableId::kCount); ++t) {
    for (uint32_t e = 0; e < kMaxExtents; ++e) {
      const unsigned char* start = extents_[t][e].load(std::memory_order_relaxed);
      if (start == nullptr) break;
      unsigned char* copy = base + header_->tables[t].extents[e];
      std::memcpy(copy, start, ExtentRecords(e, kShapes[t].first_records) * kShapes[t].record_bytes);
      extents_[t][e].store(copy, std::memory_order_relaxed);
    }
  }
  std::memcpy(base, static_cast<const void*>(header_), sizeof(Header));
  header_ = reinterpret_cast<Header*>(base);
  header_->peak_side.store(peak_side, std::memory_order_relaxed);
  ForgetLaterRecords();
  memory_ = memory;
}

bool Ledger::Detach() {
  lock_.Reset();
  if (!memory_.shared()) return true;
  LedgerMemory own;
  if (!own.CreatePrivate(EndOfExtents())) return false;
  MoveTo(own);
  header_->used_bytes.store(memory_.used_bytes(), std::memory_order_relaxed);
  return true;
}

bool Ledger::Adopt(const char* directory, uint32_t pid, bool visible) {
  lock_.Reset();
  bool as_asked = directory == nullptr;
  if (memory_.shared()) {
    const uint64_t end = EndOfExtents();
    LedgerMemory own;
    const bool shared = directory != nullptr ? own.CreateNamed(directory, pid, end) : visible && own.CreateAnonymous(end);
    if (!shared && !own.CreatePrivate(end)) return false;
    as_asked = as_asked || shared;
    memory_.CloseDescriptor();
    MoveTo(own);
  }
  Header& h = *header_;
  h.pid = pid;
  h.origin = Origin::kFork;
  h.state.store(State::kRunning, std::memory_order_relaxed);
  h.end.store(End::kNone, std::memory_order_relaxed);
  h.end_value.store(0, std::memory_order_relaxed);
  h.end_node.store(0, std::memory_order_relaxed);
  h.ended_ns = 0;
  h.exec_path = {};
  h.used_bytes.store(memory_.used_bytes(), std::memory_order_relaxed);
  h.degraded.fetch_and(kNotInterposed | kLedgerFull | kNoUnwinder | kModulesLost | kMarksExhausted);
  if (!as_asked) SetDegraded(kLedgerPrivate);
  for (std::atomic<uint64_t>* counter : {&h.foreign_frees, &h.inherited_frees, &h.bypassed, &h.truncated,
                                         &h.errors_dropped, &h.unfollowed_forks, &h.page_guarded, &h.bytes_only[0], &h.bytes_only[1],
                                         &h.bytes_only[2]}) {
    counter->store(0, std::memory_order_relaxed);
  }
  h.live_bytes.store(0, std::memory_order_relaxed);
  h.peak_bytes.store(0, std::memory_order_relaxed);
  h.peak_side.store(kNoPeak, std::memory_order_relaxed);
  h.peak_turn.store(0, std::memory_order_relaxed);
  h.blocks_offset = 0;
  h.blocks_count = 0;
  for (uint32_t i = 0, count = Count(TableId::kStacks); i < count; ++i) {
    Clear(&At<Stack>(TableId::kStacks, i)->shared);
  }
  for (uint32_t i = 1, count = Count(TableId::kCounters); i < count; ++i) {
    for (Counters& counters : At<CounterBank>(TableId::kCounters, i)->counters) Clear(&counters);
  }
  for (uint32_t i = 1, count = Count(TableId::kThreads); i < count; ++i) {
    At<Thread>(TableId::kThreads, i)->live_bytes.store(0, std::memory_order_relaxed);
    At<Thread>(TableId::kThreads, i)->peak_bytes.store(0, std::memory_order_relaxed);
  }
  h.reachability = Marking::kUnknown;
  TableOf(TableId::kErrors).count.store(0, std::memory_order_relaxed);
  TableOf(TableId::kRoots).count.store(0, std::memory_order_relaxed);
  TableOf(TableId::kHandovers).count.store(0, std::memory_order_relaxed);
  TableOf(TableId::kReferenceCalls).count.store(0, std::memory_order_relaxed);
  TableOf(TableId::kThreads).count.store(0, std::memory_order_relaxed);
  h.request.state.store(RequestSlot::kIdle, std::memory_order_relaxed);
  return as_asked;
}

}  // namespace mallocspy::ledger

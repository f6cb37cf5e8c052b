// Lays out ledgers from code, for tests of everything that reads them:
//
//   LedgerBuilder ledger;
//   const uint32_t program = ledger.AddModule("/bin/prog", "\x01\x02", 0x1000, ledger::kModuleExecutable);
//   const uint32_t stack = ledger.AddStack({{program, 0x10}, {program, 0x20}}, Door::kMalloc);  // innermost first
//   ledger.CountAllocations(stack, 3, 120);
//   ledger.AddBlock(stack, 0x5000, 40);
//   ledger.End(ledger::End::kExit, 0);
//   WriteFile("x.mspy", ledger.Bytes());
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "allocator/ledger/format.h"
#include "spy/heap.h"

namespace mallocspy {

class LedgerBuilder {
 public:
  using Frame = std::pair<uint32_t, uint64_t>;  // module index and offset

  LedgerBuilder() {
    header_->magic = ledger::kMagic;
    header_->version = ledger::kVersion;
    header_->reachability = ledger::Marking::kComplete;
    header_->header_bytes = sizeof(ledger::Header);
    header_->state = ledger::State::kRunning;
    header_->pid = 4711;
    header_->parent_pid = 4710;
    header_->started_ns = 1;
    header_->interposed = 1;
    header_->base_mark = 1;
    header_->guard = 1;
    strings_.push_back('\0');
    nodes_.emplace_back();
    modules_.emplace_back();
    threads_.emplace_back();
    stacks_.emplace_back();
    errors_.emplace_back();
    roots_.emplace_back();
    handovers_.emplace_back();
    reference_calls_.emplace_back();
    banks_.emplace_back();
    marks_.emplace_back();
  }

  // For what has no method of its own. Tables, blocks and used_bytes are overwritten by Bytes().
  ledger::Header& header() { return *header_; }

  ledger::StringRef AddString(std::string_view text) {
    if (text.empty()) return {};
    // A string does not cross an extent.
    while (ExtentOf(strings_.size(), kFirstStringBytes) !=
           ExtentOf(strings_.size() + text.size() - 1, kFirstStringBytes)) {
      strings_.push_back('\0');
    }
    const ledger::StringRef reference = {static_cast<uint32_t>(strings_.size()), static_cast<uint32_t>(text.size())};
    strings_.append(text);
    return reference;
  }

  void SetProgram(std::string_view exe, const std::vector<std::string>& cmdline) {
    header_->exe = AddString(exe);
    std::string joined;
    for (const std::string& argument : cmdline) joined += argument + '\0';
    header_->cmdline = AddString(joined);
  }

  uint32_t AddModule(std::string_view path, std::string_view build_id, uint64_t bias, uint32_t flags = 0) {
    ledger::Module& module = modules_.emplace_back();
    module.start = bias;
    module.end = bias + 0x100000;
    module.bias = bias;
    module.path = AddString(path);
    module.loaded = 1;
    module.flags = flags;
    module.build_id_bytes = static_cast<uint32_t>(build_id.size());
    std::memcpy(module.build_id, build_id.data(), build_id.size());
    return static_cast<uint32_t>(modules_.size() - 1);
  }

  // The last AddModule(), for what that has no argument for.
  ledger::Module& last_module() { return modules_.back(); }

  // The node of a stack, innermost frame first. Equal prefixes are not shared, unlike in a real ledger, which no
  // reader may rely on.
  uint32_t AddNode(const std::vector<Frame>& frames) {
    uint32_t parent = 0;
    for (size_t i = frames.size(); i-- > 0;) {
      nodes_.push_back({uint64_t{frames[i].first} << ledger::kSiteModuleShift | frames[i].second, parent, 0});
      parent = static_cast<uint32_t>(nodes_.size() - 1);
    }
    return parent;
  }

  uint32_t AddStack(const std::vector<Frame>& frames, Door door, uint8_t flags = 0) {
    StackRecord& stack = stacks_.emplace_back();
    stack.node = AddNode(frames);
    stack.door = static_cast<uint8_t>(door);
    stack.flags = flags;
    stack.depth = static_cast<uint16_t>(frames.size());
    return static_cast<uint32_t>(stacks_.size() - 1);
  }

  void CountAllocations(uint32_t stack, uint64_t blocks, uint64_t bytes) {
    stacks_[stack].allocations += blocks;
    stacks_[stack].allocated_bytes += bytes;
  }

  void CountFrees(uint32_t stack, uint64_t blocks, uint64_t bytes) {
    stacks_[stack].frees += blocks;
    stacks_[stack].freed_bytes += bytes;
  }

  // A thread's own counters of the stacks from `first_stack` on; CountInBank() adds to the last one.
  void AddBank(uint32_t first_stack) {
    BankRecord& bank = banks_.emplace_back();
    bank.index = static_cast<uint32_t>(banks_.size() - 1);
    bank.first_stack = first_stack;
  }
  void CountInBank(uint32_t place, uint64_t allocations, uint64_t allocated_bytes, uint64_t frees, uint64_t freed_bytes) {
    uint64_t* counters = banks_.back().counters[place];
    counters[0] += allocations;
    counters[1] += allocated_bytes;
    counters[2] += frees;
    counters[3] += freed_bytes;
  }

  // Live bytes that the last thread has not yet added to the header's.
  void KeepLiveBytes(int64_t live, int64_t peak) {
    threads_.back().live_bytes = live;
    threads_.back().peak_bytes = peak;
  }

  // What was live of a stack at a peak, in one of the two copies; header() says which one is whole.
  void SetPeak(uint32_t stack, uint32_t side, uint64_t blocks, uint64_t bytes) { stacks_[stack].peaks[side] = {blocks, bytes}; }

  // A live block, counted as one allocation of its stack.
  void AddBlock(uint32_t stack, uint64_t address, uint64_t size, uint16_t mark = 1, uint8_t flags = 0,
                ledger::Reach reach = ledger::Reach::kUnknown, uint32_t root = 0) {
    blocks_.push_back({address, size, stack, mark, stacks_[stack].door, flags, root, reach, ledger::Shape::kUnknown, 0});
    CountAllocations(stack, 1, size);
  }

  // The last AddBlock(), for what that has no argument for.
  ledger::Block& last_block() { return blocks_.back(); }

  // The graph: blocks by the order of AddBlock(), from 0. Any of these gives the ledger a graph.
  void AddReference(uint32_t from, uint32_t word, uint32_t to, uint32_t offset = 0) {
    header_->has_graph = 1;
    references_.push_back({from, to, word, offset});
  }
  void AddRootReference(ledger::RootKind kind, uint32_t tid, uint64_t address, uint32_t to, uint32_t offset = 0) {
    header_->has_graph = 1;
    root_references_.push_back({address, tid, kind, to, offset});
  }
  // The blocks' own bytes, each block's from a multiple of 8 on; or words that point out of the heap.
  void SetContentBytes(std::string_view bytes) {
    header_->contents = ledger::Contents::kFull;
    content_bytes_.assign(bytes.begin(), bytes.end());
  }
  void AddContentWord(uint32_t block, uint32_t word, uint64_t value) {
    header_->contents = ledger::Contents::kPointers;
    content_words_.push_back({block, word, value});
  }
  // A class whose table lies there; makes the last block one of its objects, and returns its number.
  uint16_t AddType(uint32_t module, uint64_t offset) {
    header_->has_graph = 1;
    types_.push_back({uint64_t{module} << ledger::kSiteModuleShift | offset});
    blocks_.back().shape = ledger::Shape::kObject;
    return blocks_.back().type = static_cast<uint16_t>(types_.size());
  }

  void AddMark(uint64_t number, std::string_view name, uint64_t began_ns = 1, int64_t live_bytes = 0) {
    marks_.push_back({number, began_ns, live_bytes, AddString(name)});
  }

  // What holds a pointer to a block; see AddBlock().
  uint32_t AddRoot(ledger::RootKind kind, uint32_t tid, uint64_t address) {
    roots_.push_back({address, tid, kind});
    return static_cast<uint32_t>(roots_.size() - 1);
  }

  void AddThread(uint32_t tid, std::string_view name) {
    ThreadRecord& thread = threads_.emplace_back();
    thread.tid = tid;
    thread.state = 1;
    std::memcpy(thread.name, name.data(), name.size());
  }

  struct ErrorRecord {
    uint32_t kind;
    uint8_t block_door;
    uint8_t used_door;
    uint16_t flags;
    uint64_t address;
    uint64_t size;
    uint64_t value;
    uint32_t where;
    uint32_t allocated;
    uint32_t freed;
    uint32_t tid;
    ledger::StringRef detail;
    uint64_t count;
  };
  static_assert(sizeof(ErrorRecord) == sizeof(ledger::Error));
  ErrorRecord& AddError(ledger::ErrorKind kind) {
    ErrorRecord& error = errors_.emplace_back();
    error.kind = static_cast<uint32_t>(kind);
    error.count = 1;
    return error;
  }

  // Blocks that `maker` made and `freer` freed, both from AddModule().
  void AddHandover(uint32_t maker, Door made, uint32_t freer, Door freed, uint64_t blocks, uint64_t bytes) {
    handovers_.push_back({static_cast<uint16_t>(maker), static_cast<uint16_t>(freer), static_cast<uint8_t>(made),
                          static_cast<uint8_t>(freed), {}, blocks, bytes});
  }

  // A call at `node` that took or gave references to an object of the `error`-th AddError(), counted from 1.
  void AddReferenceCall(uint32_t error, uint32_t node, uint32_t added, uint32_t released) {
    reference_calls_.push_back({error, node, added, released});
  }

  void End(ledger::End end, int value) {
    header_->state = ledger::State::kEnded;
    header_->end = end;
    header_->end_value = value;
    header_->ended_ns = 2;
  }

  // The file. Tables begin small, so that most have several extents.
  std::string Bytes() {
    std::string bytes(ledger::kPageBytes, '\0');
    AddTable(ledger::TableId::kNodes, nodes_.data(), nodes_.size(), 4, &bytes);
    AddTable(ledger::TableId::kStacks, stacks_.data(), stacks_.size(), 2, &bytes);
    AddTable(ledger::TableId::kModules, modules_.data(), modules_.size(), 2, &bytes);
    AddTable(ledger::TableId::kThreads, threads_.data(), threads_.size(), 2, &bytes);
    AddTable(ledger::TableId::kStrings, strings_.data(), strings_.size(), kFirstStringBytes, &bytes);
    AddTable(ledger::TableId::kErrors, errors_.data(), errors_.size(), 2, &bytes);
    AddTable(ledger::TableId::kCounters, banks_.data(), banks_.size(), 2, &bytes);
    AddTable(ledger::TableId::kRoots, roots_.data(), roots_.size(), 2, &bytes);
    AddTable(ledger::TableId::kHandovers, handovers_.data(), handovers_.size(), 2, &bytes);
    AddTable(ledger::TableId::kReferenceCalls, reference_calls_.data(), reference_calls_.size(), 2, &bytes);
    AddTable(ledger::TableId::kMarks, marks_.data(), marks_.size(), 2, &bytes);
    const ledger::List blocks = AddList(blocks_, &bytes);
    header_->blocks_offset = blocks.offset;
    header_->blocks_count = blocks.count;
    header_->references = AddList(references_, &bytes);
    header_->root_references = AddList(root_references_, &bytes);
    header_->types = AddList(types_, &bytes);
    header_->content_words = AddList(content_words_, &bytes);
    header_->content_bytes = AddList(content_bytes_, &bytes);
    header_->used_bytes = bytes.size();
    std::memcpy(bytes.data(), static_cast<const void*>(header_.get()), sizeof(ledger::Header));
    return bytes;
  }

 private:
  // Records of the ledger with plain counters, which a vector can move.
  struct StackRecord {
    uint32_t node;
    uint8_t door;
    uint8_t flags;
    uint16_t depth;
    uint32_t next;
    uint32_t reserved;
    uint64_t allocations;
    uint64_t allocated_bytes;
    uint64_t frees;
    uint64_t freed_bytes;
    ledger::PeakCounters peaks[2];
  };
  static_assert(sizeof(StackRecord) == sizeof(ledger::Stack));

  struct ThreadRecord {
    uint32_t tid;
    uint32_t state;
    char name[16];
    uint64_t started_ns;
    int64_t live_bytes;
    int64_t peak_bytes;
    uint64_t reserved[2];
  };
  static_assert(sizeof(ThreadRecord) == sizeof(ledger::Thread));

  struct BankRecord {
    uint32_t index;
    uint32_t first_stack;
    uint64_t unused[7];
    uint64_t counters[ledger::kStacksPerBank][4];
  };
  static_assert(sizeof(BankRecord) == sizeof(ledger::CounterBank));

  static constexpr uint32_t kFirstStringBytes = 64;

  static uint32_t ExtentOf(uint64_t index, uint32_t first_records) {
    uint32_t extent = 0;
    for (uint64_t end = first_records; index >= end; end *= 2) ++extent;
    return extent;
  }

  template <typename Record>
  void AddTable(ledger::TableId id, const Record* records, size_t count, uint32_t first_records, std::string* bytes) {
    ledger::Table& table = header_->tables[static_cast<size_t>(id)];
    table.record_bytes = sizeof(Record);
    table.first_records = first_records;
    table.count = count == 1 ? 0 : count;  // record 0 alone needs no memory
    if (count == 1) return;
    uint64_t capacity = first_records;
    for (size_t at = 0, extent = 0; at < count; ++extent) {
      table.extents[extent] = bytes->size();
      const size_t here = std::min<size_t>(capacity, count - at);
      bytes->append(reinterpret_cast<const char*>(records + at), here * sizeof(Record));
      bytes->resize((bytes->size() + ledger::kPageBytes - 1) / ledger::kPageBytes * ledger::kPageBytes);
      at += here;
      if (extent != 0) capacity *= 2;
    }
  }

  template <typename Record>
  ledger::List AddList(const std::vector<Record>& records, std::string* bytes) {
    if (header_->state != ledger::State::kEnded || records.empty()) return {};
    bytes->resize((bytes->size() + ledger::kPageBytes - 1) / ledger::kPageBytes * ledger::kPageBytes);
    const ledger::List list = {bytes->size(), records.size()};
    bytes->append(reinterpret_cast<const char*>(records.data()), records.size() * sizeof(Record));
    return list;
  }

  // Its counters cannot be moved.
  std::unique_ptr<ledger::Header> header_ = std::make_unique<ledger::Header>();
  std::vector<ledger::Node> nodes_;
  std::vector<StackRecord> stacks_;
  std::vector<ledger::Module> modules_;
  std::vector<BankRecord> banks_;
  std::vector<ThreadRecord> threads_;
  std::vector<ErrorRecord> errors_;
  std::vector<ledger::Root> roots_;

  // ledger::Handover with plain counters.
  struct HandoverRecord {
    uint16_t maker;
    uint16_t freer;
    uint8_t made;
    uint8_t freed;
    uint8_t reserved[2];
    uint64_t blocks;
    uint64_t bytes;
  };
  static_assert(sizeof(HandoverRecord) == sizeof(ledger::Handover));
  std::vector<HandoverRecord> handovers_;
  std::vector<ledger::ReferenceCall> reference_calls_;
  std::vector<ledger::Mark> marks_;
  std::vector<ledger::Block> blocks_;
  std::vector<ledger::Reference> references_;
  std::vector<ledger::RootReference> root_references_;
  std::vector<ledger::Type> types_;
  std::vector<ledger::ContentWord> content_words_;
  std::vector<char> content_bytes_;
  std::string strings_;
};

}  // namespace mallocspy

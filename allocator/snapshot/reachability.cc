#include "allocator/snapshot/reachability.h"

#include <algorithm>
#include <cstring>

#include "allocator/block_header.h"
#include "allocator/ledger/live_map.h"
#include "allocator/process.h"
#include "allocator/system/os_memory.h"
#include "spy/spy_chain.h"

// It reads everything that it finds, as it is.
#define MALLOCSPY_READS_ALL __attribute__((no_sanitize("address", "thread")))

namespace mallocspy {
namespace {

using ledger::Reach;

constexpr int kLeafShift = 28;
constexpr size_t kLeaves = size_t{1} << (47 - kLeafShift);
constexpr size_t kPagesOfLeaf = (size_t{1} << kLeafShift) / kPageBytes;
constexpr uint32_t kMostRoots = 1 << 16;
constexpr size_t kMostRootWords = size_t{1} << 24;  // memory is used as they come
// From this size on the pages that were never written are left out, bytes.
constexpr uintptr_t kSparse = 1 << 20;
// Words that are gathered from blocks, at most: what memory their list takes is used as they come. Later blocks are read where they are.
constexpr size_t kMostWords = size_t{1} << 24;
constexpr uint32_t kNotGathered = UINT32_MAX;

MALLOCSPY_READS_ALL uintptr_t Word(uintptr_t address) { return *reinterpret_cast<const volatile uintptr_t*>(address); }

}  // namespace

Reachability::~Reachability() {
  if (places_ != nullptr) {
    for (size_t leaf = lowest_ >> kLeafShift; leaf <= highest_ >> kLeafShift && leaf < kLeaves; ++leaf) {
      if (places_[leaf] != nullptr) Unmap(places_[leaf], (kPagesOfLeaf + 1) * sizeof(uint32_t));
    }
    Unmap(places_, kLeaves * sizeof(uint32_t*));
  }
  if (blocks_ != nullptr) Unmap(blocks_, capacity_ * sizeof(Node));
  if (stack_ != nullptr) Unmap(stack_, capacity_ * sizeof(uint32_t));
  if (words_ != nullptr) Unmap(words_, kMostWords * sizeof(uintptr_t));
  if (roots_ != nullptr) Unmap(roots_, kMostRoots * sizeof(Root));
  if (root_words_ != nullptr) Unmap(root_words_, kMostRootWords * sizeof(RootWord));
}

void Reachability::Collect(uintptr_t address, void* context) {
  Reachability* self = static_cast<Reachability*>(context);
  if (self->count_ == self->capacity_) {
    self->failed_ = true;  // it was counted before: blocks came meanwhile
    return;
  }
  self->blocks_[self->count_++].address = address;
}

void Reachability::ReadHeader(Node* node, MemoryWindow* window) {
  const uintptr_t header_address = node->address - sizeof(BlockHeader);
  BlockHeader header;
  std::memcpy(&header, window->At(header_address, sizeof(header)), sizeof(header));
  if (!IsSealedAt(header_address, header)) return;
  node->size = header.size;
  node->stack = header.stack;
  node->ignored = header.ignored != 0;
  node->inherited = header.mark < g_settings.base_mark;
  has_ignored_ |= node->ignored;
}

// One pass over the heap, ascending, for headers and for what the blocks hold that may be pointers: marking jumps from block to block.
MALLOCSPY_READS_ALL void Reachability::Gather(MemoryWindow* window) {
  words_ = static_cast<uintptr_t*>(MapPrivate(kMostWords * sizeof(uintptr_t)));
  const uintptr_t lowest = lowest_;
  const uintptr_t span = highest_ - lowest_;
  for (size_t i = 0; i < count_; ++i) {
    Node& node = blocks_[i];
    ReadHeader(&node, window);
    node.first_word = kNotGathered;
    const uint64_t words = node.size / sizeof(uintptr_t);
    if (words_ == nullptr || node.size >= kSparse || word_count_ + words > kMostWords) continue;
    const size_t first = word_count_;
    for (uint64_t done = 0; done < words;) {
      constexpr uint64_t kAtOnce = MemoryWindow::kMostBytes / sizeof(uintptr_t);
      const uint64_t now = std::min(words - done, kAtOnce);
      const uintptr_t piece =
          reinterpret_cast<uintptr_t>(window->At(node.address + done * sizeof(uintptr_t), now * sizeof(uintptr_t)));
      for (uint64_t w = 0; w < now; ++w) {
        const uintptr_t word = Word(piece + w * sizeof(uintptr_t));
        if (__builtin_expect(word - lowest < span, 0)) words_[word_count_++] = word;
      }
      done += now;
    }
    node.first_word = static_cast<uint32_t>(first);
    node.words = static_cast<uint32_t>(word_count_ - first);
  }
}

MALLOCSPY_READS_ALL bool Reachability::WordAt(const Node& node, uint64_t number, uintptr_t* word) const {
  if (node.first_word != kNotGathered) {
    if (number >= node.words) return false;
    *word = words_[node.first_word + number];
  } else {
    if (number >= node.size / sizeof(uintptr_t)) return false;
    *word = Word(node.address + number * sizeof(uintptr_t));
  }
  return true;
}

// For each page of each leaf that blocks lie in, how many blocks start below it.
bool Reachability::MakePlaces() {
  places_ = static_cast<uint32_t**>(MapPrivate(kLeaves * sizeof(uint32_t*)));
  if (places_ == nullptr) return false;
  for (size_t i = 0; i < count_; ++i) {
    const uintptr_t last = blocks_[i].address + blocks_[i].size;
    for (size_t leaf = blocks_[i].address >> kLeafShift; leaf <= last >> kLeafShift && leaf < kLeaves; ++leaf) {
      if (places_[leaf] != nullptr) continue;
      places_[leaf] = static_cast<uint32_t*>(MapPrivate((kPagesOfLeaf + 1) * sizeof(uint32_t)));
      if (places_[leaf] == nullptr) return false;
    }
  }
  size_t next = 0;
  for (size_t leaf = lowest_ >> kLeafShift; leaf <= highest_ >> kLeafShift && leaf < kLeaves; ++leaf) {
    uint32_t* places = places_[leaf];
    if (places == nullptr) continue;
    const uintptr_t start = static_cast<uintptr_t>(leaf) << kLeafShift;
    for (size_t page = 0; page <= kPagesOfLeaf; ++page) {
      while (next < count_ && blocks_[next].address < start + page * kPageBytes) ++next;
      places[page] = static_cast<uint32_t>(next);
    }
  }
  return true;
}

bool Reachability::Prepare() {
  const auto count = [](uintptr_t, void* total) { ++*static_cast<size_t*>(total); };
  ledger::g_live_map.ForEachLive(count, &capacity_);
  if (capacity_ == 0) return true;
  if (capacity_ >= kNoBlock) return false;
  blocks_ = static_cast<Node*>(MapPrivate(capacity_ * sizeof(Node)));
  stack_ = static_cast<uint32_t*>(MapPrivate(capacity_ * sizeof(uint32_t)));
  roots_ = static_cast<Root*>(MapPrivate(kMostRoots * sizeof(Root)));
  if (blocks_ == nullptr || stack_ == nullptr || roots_ == nullptr) return false;
  if (keeps_root_words_) {
    root_words_ = static_cast<RootWord*>(MapPrivate(kMostRootWords * sizeof(RootWord)));
    if (root_words_ == nullptr) return false;
  }
  ledger::g_live_map.ForEachLive(Collect, this);
  if (failed_ || count_ == 0) return !failed_;
  lowest_ = blocks_[0].address;
  MemoryWindow window;
  window.Open();
  ReadHeader(&blocks_[count_ - 1], &window);
  highest_ = blocks_[count_ - 1].address + blocks_[count_ - 1].size + 1;
  Gather(&window);
  written_.Open();
  return MakePlaces();
}

uint32_t Reachability::Find(uintptr_t address, uint64_t* offset) const {
  if (address - lowest_ >= highest_ - lowest_ || count_ == 0) return kNoBlock;
  const uint32_t* places = places_[address >> kLeafShift];
  if (places == nullptr) return kNoBlock;
  const size_t page = (address >> 12) & (kPagesOfLeaf - 1);
  uint32_t low = places[page];
  uint32_t high = places[page + 1];
  while (low < high) {  // the first block that starts behind the address
    const uint32_t middle = low + (high - low) / 2;
    if (blocks_[middle].address <= address) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0) return kNoBlock;
  const Node& node = blocks_[low - 1];
  *offset = address - node.address;
  return *offset == 0 || *offset < node.size ? low - 1 : kNoBlock;
}

// A table of virtual functions: in memory that the program cannot write, or could only while it was relocated, and its first function is
// code. A table may begin with functions that nobody defined.
MALLOCSPY_READS_ALL bool Reachability::LooksLikeTable(uintptr_t word) const {
  if (word % sizeof(uintptr_t) != 0) return false;
  const Mapping* mapping = map_.Find(word);
  if (mapping == nullptr || mapping->kind != Mapping::kFile || !mapping->readable || mapping->writable) return false;
  if (word + sizeof(uintptr_t) > mapping->end) return false;
  const Mapping* code = map_.Find(Word(word));
  return code != nullptr && code->executable;
}

MALLOCSPY_READS_ALL bool Reachability::StandsForStart(const Node& node, uint64_t offset) const {
  if (offset == 0) return true;
  if (spy_chain.HasShifted() && spy_chain.IsShifted(reinterpret_cast<const void*>(node.address + offset))) return true;
  constexpr uint64_t kWord = sizeof(uintptr_t);
  const uintptr_t start = node.address;
  if (offset == kWord && node.size > kWord) {  // the number of elements, then the elements (Itanium C++ ABI, "array cookies")
    const uint64_t elements = Word(start);
    if (elements != 0 && (node.size - kWord) % elements == 0) return true;
  }
  if (offset == 3 * kWord && node.size > 3 * kWord) {  // length, capacity, count of references, text (libstdc++ before its new ABI)
    const uint64_t length = Word(start);
    const uint64_t room = Word(start + kWord);
    if (length <= room && node.size - 3 * kWord >= room + 1) return true;
  }
  return offset % kWord == 0 && offset + kWord <= node.size && LooksLikeTable(Word(start)) && LooksLikeTable(Word(start + offset));
}

// The table is limited: later roots of a kind and thread share one without an address.
uint32_t Reachability::AddRoot(uintptr_t address, const RootRange& range) {
  const Root root = {address, range.kind, range.tid};
  if (root_count_ < kMostRoots - 256) {
    roots_[root_count_] = root;
    return root_count_++;
  }
  for (uint32_t i = kMostRoots - 256; i < root_count_; ++i) {
    if (roots_[i].kind == root.kind && roots_[i].tid == root.tid) return i;
  }
  if (root_count_ == kMostRoots) return kMostRoots - 1;
  roots_[root_count_] = {0, root.kind, root.tid};
  return root_count_++;
}

void Reachability::KeepRootWord(uintptr_t place, uint32_t block, uint64_t offset, const RootRange& range) {
  if (root_word_count_ == kMostRootWords) {
    lost_root_words_ = true;
    return;
  }
  if (range.kind == ledger::RootKind::kIgnored) place = 0;  // made up by us
  root_words_[root_word_count_++] = {place, block, static_cast<uint32_t>(std::min<uint64_t>(offset, UINT32_MAX)), range.tid, range.kind};
}

// `place` holds `word`, which may be a pointer. `holder`: the root of the block that is scanned; of a root range, none yet.
void Reachability::Meet(uintptr_t word, uintptr_t place, Pass pass, uint32_t holder, const RootRange* range) {
  uint64_t offset;
  const uint32_t met = Find(word, &offset);
  if (met == kNoBlock) return;
  if (root_words_ != nullptr && range != nullptr) KeepRootWord(place, met, offset, *range);
  Node& node = blocks_[met];
  if (node.reach == Reach::kReachable || (pass == Pass::kPossible && node.reach == Reach::kPossible)) return;
  const bool start = StandsForStart(node, offset);
  if (pass == Pass::kReachable && !start) {
    if (!node.hit_inside) {
      node.hit_inside = true;
      node.holder = range != nullptr ? AddRoot(place, *range) : holder;
    }
    return;
  }
  node.reach = pass == Pass::kReachable ? Reach::kReachable : Reach::kPossible;
  node.holder = range != nullptr ? AddRoot(place, *range) : holder;
  Push(met);
}

MALLOCSPY_READS_ALL void Reachability::ScanWords(uintptr_t from, uintptr_t to, Pass pass, uint32_t holder, const RootRange* range) {
  const uintptr_t lowest = lowest_;
  const uintptr_t span = highest_ - lowest_;
  for (uintptr_t place = from; place + sizeof(uintptr_t) <= to; place += sizeof(uintptr_t)) {
    const uintptr_t word = Word(place);
    if (__builtin_expect(word - lowest < span, 0)) Meet(word, place, pass, holder, range);
  }
}

void Reachability::Scan(uintptr_t from, uintptr_t to, Pass pass, uint32_t holder, const RootRange* range) {
  from = RoundUp(from, sizeof(uintptr_t));
  if (to <= from) return;
  if (to - from < kSparse || !written_.is_open()) return ScanWords(from, to, pass, holder, range);
  const Mapping* mapping = map_.Find(from);
  // Of shared memory the kernel does not tell.
  if (mapping == nullptr || mapping->shared || mapping->end < to) return ScanWords(from, to, pass, holder, range);
  struct Part {
    Reachability* self;
    Pass pass;
    uint32_t holder;
    const RootRange* range;
  } part = {this, pass, holder, range};
  const auto scan = [](uintptr_t start, uintptr_t end, void* context) {
    const Part* part = static_cast<Part*>(context);
    part->self->ScanWords(start, end, part->pass, part->holder, part->range);
  };
  written_.ForEach(from, to, scan, &part);
}

MALLOCSPY_READS_ALL void Reachability::ForEachWord(size_t block, MemoryWindow* window,
                                                   void (*take)(uint64_t number, uintptr_t word, void* context), void* context) const {
  const Node& node = blocks_[block];
  struct Visit {
    const Reachability* self;
    uintptr_t start;
    void (*take)(uint64_t number, uintptr_t word, void* context);
    void* context;
  } visit = {this, node.address, take, context};
  const uintptr_t end = node.address + node.size / sizeof(uintptr_t) * sizeof(uintptr_t);
  const Mapping* mapping = node.size >= kSparse && written_.is_open() ? map_.Find(node.address) : nullptr;
  if (mapping != nullptr && !mapping->shared && mapping->end >= end) {
    const auto read = [](uintptr_t from, uintptr_t to, void* context) MALLOCSPY_READS_ALL {
      const Visit* visit = static_cast<Visit*>(context);
      for (uintptr_t place = from; place + sizeof(uintptr_t) <= to; place += sizeof(uintptr_t)) {
        const uintptr_t word = Word(place);
        if (word - visit->self->lowest_ >= visit->self->highest_ - visit->self->lowest_) continue;
        visit->take((place - visit->start) / sizeof(uintptr_t), word, visit->context);
      }
    };
    return written_.ForEach(node.address, end, read, &visit);
  }
  for (uintptr_t place = node.address; place < end;) {
    const size_t bytes = std::min<size_t>(end - place, MemoryWindow::kMostBytes);
    const uintptr_t piece = reinterpret_cast<uintptr_t>(window->At(place, bytes));
    for (size_t at = 0; at < bytes; at += sizeof(uintptr_t)) {
      const uintptr_t word = Word(piece + at);
      if (__builtin_expect(word - lowest_ < highest_ - lowest_, 0)) take((place + at - node.address) / sizeof(uintptr_t), word, context);
    }
    place += bytes;
  }
}

void Reachability::ScanBlock(uint32_t block, Pass pass) {
  const Node& node = blocks_[block];
  if (node.first_word == kNotGathered) return Scan(node.address, node.address + node.size, pass, node.holder, nullptr);
  for (uint32_t i = 0; i < node.words; ++i) Meet(words_[node.first_word + i], 0, pass, node.holder, nullptr);
}

void Reachability::Drain(Pass pass) {
  while (stack_size_ > 0) ScanBlock(stack_[--stack_size_], pass);
}

void Reachability::MarkFrom(const RootRange& range) {
  if (count_ == 0) return;
  Scan(range.start, range.end, Pass::kReachable, 0, &range);
  Drain(Pass::kReachable);
}

// The lost blocks as a graph: an edge for each word of one that points to, or into, another. Of blocks that lead to each other one is definite,
// if no other leads to them; all others are indirect. By Tarjan's algorithm for strongly connected components (1972), without recursion.
class Reachability::Lost {
 public:
  explicit Lost(Reachability* all) : all_(*all) {}
  ~Lost() {
    if (blocks_ != nullptr) Unmap(blocks_, count_ * sizeof(Block));
    if (way_ != nullptr) Unmap(way_, count_ * sizeof(Step));
    if (open_ != nullptr) Unmap(open_, count_ * sizeof(uint32_t));
  }
  Lost(const Lost&) = delete;
  Lost& operator=(const Lost&) = delete;

  bool Sort() {
    for (size_t i = 0; i < all_.count_; ++i) count_ += all_.blocks_[i].reach == Reach::kUnknown ? 1 : 0;
    if (count_ == 0) return true;
    blocks_ = static_cast<Block*>(MapPrivate(count_ * sizeof(Block)));
    way_ = static_cast<Step*>(MapPrivate(count_ * sizeof(Step)));
    open_ = static_cast<uint32_t*>(MapPrivate(count_ * sizeof(uint32_t)));
    if (blocks_ == nullptr || way_ == nullptr || open_ == nullptr) return false;
    // By stack, then by address: the same on every run, as far as can be.
    size_t next = 0;
    for (uint32_t i = 0; i < all_.count_; ++i) {
      if (all_.blocks_[i].reach == Reach::kUnknown) blocks_[next++].node = i;
    }
    std::sort(blocks_, blocks_ + count_, [this](const Block& a, const Block& b) {
      const uint32_t left = all_.blocks_[a.node].stack;
      const uint32_t right = all_.blocks_[b.node].stack;
      return left != right ? left < right : a.node < b.node;
    });
    for (uint32_t i = 0; i < count_; ++i) all_.blocks_[blocks_[i].node].holder = i;
    for (uint32_t i = 0; i < count_; ++i) {
      if (blocks_[i].index == 0) Visit(i);
    }
    Classify();
    return true;
  }

 private:
  struct Block {
    uint32_t node;       // in Reachability::blocks_
    uint32_t index;      // in the order of visits, from 1; 0: not visited
    uint32_t low;        // the lowest index of an open block that it leads to
    uint32_t component;  // by the number of its first block + 1; 0: open
    bool led_to;         // of a component's first block: from another component
  };
  struct Step {
    uint32_t block;
    uint64_t next;  // word to look at
  };

  // The next lost block that the block of `step` points to; kNoBlock after the last.
  uint32_t NextTarget(Step* step) const {
    const Node& node = all_.blocks_[blocks_[step->block].node];
    for (uintptr_t word; all_.WordAt(node, step->next, &word);) {
      ++step->next;
      uint64_t offset;
      const uint32_t met = all_.Find(word, &offset);
      if (met != kNoBlock && all_.blocks_[met].reach == Reach::kUnknown) return all_.blocks_[met].holder;
    }
    return kNoBlock;
  }

  void Enter(uint32_t block) {
    blocks_[block].index = blocks_[block].low = ++visited_;
    open_[open_count_++] = block;
    way_[way_length_++] = {block, 0};
  }

  void Visit(uint32_t first) {
    Enter(first);
    while (way_length_ > 0) {
      Step& step = way_[way_length_ - 1];
      const uint32_t target = NextTarget(&step);
      if (target == kNoBlock) {
        Leave(step.block);
      } else if (blocks_[target].index == 0) {
        Enter(target);
      } else if (blocks_[target].component == 0) {
        blocks_[step.block].low = std::min(blocks_[step.block].low, blocks_[target].index);
      } else {
        blocks_[blocks_[target].component - 1].led_to = true;
      }
    }
  }

  void Leave(uint32_t block) {
    --way_length_;
    const bool first_of_component = blocks_[block].low == blocks_[block].index;
    if (first_of_component) {
      uint32_t member;
      uint32_t leader = block;
      const size_t before = open_count_;
      do {
        member = open_[--open_count_];
        leader = std::min(leader, member);
      } while (member != block);
      for (size_t i = open_count_; i < before; ++i) blocks_[open_[i]].component = leader + 1;
      blocks_[leader].led_to = way_length_ > 0;
    } else {
      Block& caller = blocks_[way_[way_length_ - 1].block];
      caller.low = std::min(caller.low, blocks_[block].low);
    }
  }

  // Definite ones, then all that each leads to.
  void Classify() {
    for (uint32_t i = 0; i < count_; ++i) blocks_[i].index = 0;  // from now on: visited
    for (uint32_t i = 0; i < count_; ++i) {
      if (blocks_[i].component != i + 1 || blocks_[i].led_to) continue;
      way_length_ = 0;
      way_[way_length_++] = {i, 0};
      blocks_[i].index = i + 1;
      while (way_length_ > 0) {
        Step& step = way_[way_length_ - 1];
        const uint32_t target = NextTarget(&step);
        if (target == kNoBlock) {
          --way_length_;
        } else if (blocks_[target].index == 0) {
          blocks_[target].index = i + 1;
          way_[way_length_++] = {target, 0};
        }
      }
    }
    for (uint32_t i = 0; i < count_; ++i) {
      Node& node = all_.blocks_[blocks_[i].node];
      const uint32_t leader = blocks_[i].index - 1;
      node.reach = leader == i ? Reach::kDefinite : Reach::kIndirect;
      node.holder = blocks_[leader].node;
    }
  }

  Reachability& all_;
  Block* blocks_ = nullptr;
  size_t count_ = 0;
  Step* way_ = nullptr;  // from the first block to the one that is looked at
  size_t way_length_ = 0;
  uint32_t* open_ = nullptr;  // visited, and not yet in a component
  size_t open_count_ = 0;
  uint32_t visited_ = 0;
};

bool Reachability::Finish() {
  for (uint32_t i = 0; i < count_; ++i) {
    if (!blocks_[i].hit_inside || blocks_[i].reach != Reach::kUnknown) continue;
    blocks_[i].reach = Reach::kPossible;
    Push(i);
    Drain(Pass::kPossible);
  }
  return Lost(this).Sort();
}

}  // namespace mallocspy

#include "allocator/snapshot/block_shapes.h"

#include "allocator/ledger/ledger.h"
#include "allocator/system/os_memory.h"

// It reads everything that it finds, as it is.
#define MALLOCSPY_READS_ALL __attribute__((no_sanitize("address", "thread")))

namespace mallocspy {
namespace {

using ledger::Shape;

constexpr size_t kTables = size_t{1} << 18;  // of the hash table; half of them are used at most
constexpr uint16_t kMostTypes = UINT16_MAX - 1;
constexpr uintptr_t kWord = sizeof(uintptr_t);

bool IsAligned(uintptr_t word) { return word != 0 && word % kWord == 0; }

}  // namespace

BlockShapes::~BlockShapes() {
  if (shapes_ != nullptr) Unmap(shapes_, blocks_.size() * sizeof(*shapes_) + 1);
  if (types_ != nullptr) Unmap(types_, blocks_.size() * sizeof(*types_) + 1);
  if (tables_ != nullptr) Unmap(tables_, kTables * sizeof(Table));
  if (addresses_ != nullptr) Unmap(addresses_, (size_t{kMostTypes} + 1) * sizeof(*addresses_));
}

bool BlockShapes::Prepare() {
  shapes_ = static_cast<Shape*>(MapPrivate(blocks_.size() * sizeof(*shapes_) + 1));
  types_ = static_cast<uint16_t*>(MapPrivate(blocks_.size() * sizeof(*types_) + 1));
  tables_ = static_cast<Table*>(MapPrivate(kTables * sizeof(Table)));
  addresses_ = static_cast<uintptr_t*>(MapPrivate((size_t{kMostTypes} + 1) * sizeof(*addresses_)));
  return shapes_ != nullptr && types_ != nullptr && tables_ != nullptr && addresses_ != nullptr;
}

ledger::Type BlockShapes::type(uint16_t number) const {
  const uintptr_t address = addresses_[number];
  for (uint32_t i = 1, count = ledger::g_ledger.Count(ledger::TableId::kModules); i < count; ++i) {
    const ledger::Module* module = ledger::g_ledger.At<ledger::Module>(ledger::TableId::kModules, i);
    if (module->unloaded != 0 || address < module->start || address >= module->end) continue;
    return {uint64_t{i} << ledger::kSiteModuleShift | ((address - module->bias) & ledger::kSiteOffsetMask)};
  }
  return {address & ledger::kSiteOffsetMask};
}

// Most blocks begin with no such pointer, and those that do share a few tables.
uint16_t BlockShapes::TypeOfTable(uintptr_t word) {
  if (!IsAligned(word)) return 0;
  size_t slot = word / kWord * 0x9e3779b97f4a7c15u >> (64 - 18);
  while (tables_[slot].known != 0 && tables_[slot].address != word) slot = (slot + 1) % kTables;
  if (tables_[slot].known != 0) return static_cast<uint16_t>(tables_[slot].number);
  const bool table = blocks_.LooksLikeTable(word);
  if (tables_known_ > kTables / 2) return 0;  // looked at each time from now on
  ++tables_known_;
  tables_[slot] = {word, 0, 1};
  if (!table || type_count_ == kMostTypes) return 0;
  addresses_[++type_count_] = word;
  tables_[slot].number = type_count_;
  return type_count_;
}

MALLOCSPY_READS_ALL bool BlockShapes::ReadWords(uintptr_t place, uintptr_t* words, size_t count) const {
  if (!IsAligned(place)) return false;
  uint64_t offset;
  const uint32_t block = blocks_.Find(place, &offset);
  if (block != Reachability::kNoBlock) {
    if (blocks_.SizeOf(block) - offset < count * kWord) return false;
  } else {
    const Mapping* mapping = map_.Find(place);
    if (mapping == nullptr || !mapping->readable || mapping->kind == Mapping::kSpecial || mapping->end - place < count * kWord) return false;
  }
  for (size_t i = 0; i < count; ++i) words[i] = *reinterpret_cast<const volatile uintptr_t*>(place + i * kWord);
  return true;
}

uint32_t BlockShapes::BlockAt(uintptr_t address) const {
  uint64_t offset;
  const uint32_t block = blocks_.Find(address, &offset);
  return block != Reachability::kNoBlock && offset == 0 ? block : Reachability::kNoBlock;
}

// _List_node_base: next, previous; the list itself is one of the ring.
bool BlockShapes::IsListNode(uintptr_t address) const {
  uintptr_t self[2], next[2], previous[2];
  if (!ReadWords(address, self, 2) || !IsAligned(self[0]) || !IsAligned(self[1])) return false;
  if (self[0] == address || self[1] == address) return false;
  return ReadWords(self[0], next, 2) && next[1] == address && ReadWords(self[1], previous, 2) && previous[0] == address;
}

template <typename Take>
bool BlockShapes::WalkRing(uintptr_t start, Take take) {
  // Three walks for each ring, one more where the list itself is met, and something for rings that turn out to be none.
  const size_t most_steps = 16 * blocks_.size() + 1024;
  uintptr_t address = start;
  do {
    uintptr_t self[3], next[2];
    if (++ring_steps_ > most_steps || !ReadWords(address, self, 3) || self[0] == address) return false;
    if (!ReadWords(self[0], next, 2) || next[1] != address) return false;
    take(address, self[2]);
    address = self[0];
  } while (address != start);
  return true;
}

// std::list: next, previous, number of nodes. One of the ring is the list, and the others are its nodes; if it does not lie at the start of a
// block, as most do, all blocks are nodes. Else it is the one that has the number of the others as its third word; if a node's value is the same by
// chance, the one whose size is not that of the others.
void BlockShapes::NoteRing(uint32_t block) {
  const uintptr_t start = blocks_.AddressOf(block);
  const uint64_t size = blocks_.SizeOf(block);
  size_t members = 0, outside = 0, of_other_size = 0;
  const bool ring = WalkRing(start, [&](uintptr_t address, uintptr_t) {
    const uint32_t member = BlockAt(address);
    ++members;
    if (member == Reachability::kNoBlock) ++outside;
    if (member != Reachability::kNoBlock && blocks_.SizeOf(member) != size) ++of_other_size;
  });
  if (!ring) return Set(block, Shape::kListNode);
  uint32_t list = Reachability::kNoBlock;
  if (outside == 0) {
    size_t like_lists = 0;
    uint32_t only_of_its_size = Reachability::kNoBlock;
    WalkRing(start, [&](uintptr_t address, uintptr_t third_word) {
      if (third_word != members - 1) return;
      ++like_lists;
      list = BlockAt(address);
      if (blocks_.SizeOf(list) == size ? of_other_size == members - 1 : of_other_size == 1) only_of_its_size = list;
    });
    if (like_lists != 1) list = only_of_its_size;
  }
  WalkRing(start, [&](uintptr_t address, uintptr_t) {
    const uint32_t member = BlockAt(address);
    if (member != Reachability::kNoBlock && member != list) Set(member, Shape::kListNode);
  });
}

// _Rb_tree_node_base: color (32 bits, then 4 bytes of nothing), parent, left, right; the root's parent is the tree's header, whose parent is
// the root.
bool BlockShapes::IsTreeNode(uintptr_t address, uint64_t size) const {
  constexpr size_t kParent = 1, kLeft = 2, kRight = 3;
  uintptr_t self[4], other[4];
  if (size <= sizeof(self) || !ReadWords(address, self, 4)) return false;
  if (static_cast<uint32_t>(self[0]) > 1 || !IsAligned(self[kParent]) || self[kParent] == address) return false;
  if (!ReadWords(self[kParent], other, 4)) return false;
  if (static_cast<uint32_t>(other[0]) > 1) return false;
  if (other[kLeft] != address && other[kRight] != address && other[kParent] != address) return false;
  for (const size_t child : {kLeft, kRight}) {
    if (self[child] == 0) continue;
    if (self[child] == address || !ReadWords(self[child], other, 4) || other[kParent] != address) return false;
  }
  return true;
}

void BlockShapes::NoteStart(uint32_t block, uintptr_t first_word) {
  const uint64_t size = blocks_.SizeOf(block);
  if (size < kWord) return;
  types_[block] = TypeOfTable(first_word);
  if (types_[block] != 0) {
    shapes_[block] = Shape::kObject;
  } else if (shapes_[block] != Shape::kUnknown) {
    return;  // one of a ring that was met before
  } else if (size > 2 * kWord && IsListNode(blocks_.AddressOf(block))) {
    NoteRing(block);
  } else if (IsTreeNode(blocks_.AddressOf(block), size)) {
    Set(block, Shape::kTreeNode);
  }
}

// _Hashtable: buckets, their number, the first node, the number of nodes. Each node begins with the next one.
bool BlockShapes::NoteHashTable(const uintptr_t* words, uint32_t block) {
  const uintptr_t buckets = words[1];
  const uintptr_t nodes = words[3];
  if (buckets < 2 || buckets != blocks_.SizeOf(block) / kWord || blocks_.SizeOf(block) % kWord != 0) return false;
  if (nodes == 0 || nodes > blocks_.size()) return false;
  for (const bool notes : {false, true}) {
    uintptr_t node = words[2];
    for (uintptr_t i = 0; i < nodes; ++i) {
      const uint32_t met = BlockAt(node);
      if (met == Reachability::kNoBlock || met == block || !ReadWords(node, &node, 1)) return false;
      if (notes) Set(met, Shape::kHashNode);
    }
    if (node != 0) return false;
  }
  Set(block, Shape::kHashBuckets);
  return true;
}

// _Deque_impl_data: map, its length, then two iterators: current, first and last element of a chunk, and the chunk's place in the map.
bool BlockShapes::NoteDeque(const uintptr_t* words, uint32_t block) {
  constexpr size_t kStart = 2, kFinish = 6;
  const uintptr_t map = words[0];
  const uintptr_t map_end = map + blocks_.SizeOf(block);
  if (words[1] < 8 || words[1] != blocks_.SizeOf(block) / kWord) return false;  // eight places are the least
  for (const size_t iterator : {kStart, kFinish}) {
    const uintptr_t current = words[iterator], first = words[iterator + 1], last = words[iterator + 2], node = words[iterator + 3];
    if (current < first || current > last || first >= last || node < map || node >= map_end || !IsAligned(node)) return false;
    uintptr_t chunk;
    if (!ReadWords(node, &chunk, 1) || chunk != first || BlockAt(chunk) == Reachability::kNoBlock) return false;
  }
  for (uintptr_t place = words[kStart + 3]; place <= words[kFinish + 3]; place += kWord) {
    uintptr_t chunk;
    const uint32_t met = ReadWords(place, &chunk, 1) ? BlockAt(chunk) : Reachability::kNoBlock;
    if (met != Reachability::kNoBlock) Set(met, Shape::kDequeChunk);
  }
  Set(block, Shape::kDequeMap);
  return true;
}

void BlockShapes::NoteHolder(uintptr_t place, uintptr_t end, uint32_t block) {
  if (shapes_[block] != Shape::kUnknown || end - place < 3 * kWord) return;
  constexpr size_t kMostWords = 10;  // of a deque
  uintptr_t words[kMostWords] = {};
  const size_t there = (end - place) / kWord < kMostWords ? (end - place) / kWord : kMostWords;
  if (!ReadWords(place, words, there)) return;
  const uintptr_t start = blocks_.AddressOf(block);
  const uint64_t size = blocks_.SizeOf(block);
  // std::vector: begin, end, end of storage.
  if (words[1] > start && words[1] <= words[2] && words[2] == start + size) return Set(block, Shape::kVector);
  // std::string: characters, length, capacity; one more for the NUL.
  if (words[1] <= words[2] && words[2] >= 16 && words[2] + 1 == size) {
    uintptr_t last = ~uintptr_t{0};
    const uintptr_t terminator = start + words[1];
    const uintptr_t whole = terminator & ~(kWord - 1);
    if (whole + kWord <= start + size && ReadWords(whole, &last, 1)) {
      if ((last >> (terminator - whole) * 8 & 0xff) == 0) return Set(block, Shape::kString);
    } else {
      return Set(block, Shape::kString);  // it ends in a part of a word
    }
  }
  if (there >= 4 && NoteHashTable(words, block)) return;
  if (there >= kMostWords) NoteDeque(words, block);
}

}  // namespace mallocspy

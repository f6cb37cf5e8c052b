// What blocks seem to be: objects by their tables of virtual functions, nodes and buffers of libstdc++'s containers by their pattern.
//
// A pattern is matched with all that it says: a list node's neighbours point back, a vector's end of storage is its block's end, a hash
// table has as many nodes in its chain as it says. What matches may still be something else of the same form.
//
// In a copy of the process, marked; reads the program's memory, changes nothing but memory of its own.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/ledger/format.h"
#include "allocator/snapshot/memory_map.h"
#include "allocator/snapshot/reachability.h"

namespace mallocspy {

class BlockShapes {
 public:
  BlockShapes(const Reachability& blocks, const MemoryMap& map) : blocks_(blocks), map_(map) {}
  ~BlockShapes();
  BlockShapes(const BlockShapes&) = delete;
  BlockShapes& operator=(const BlockShapes&) = delete;

  // False without memory.
  bool Prepare();

  // What a block begins with. Each block, once.
  void NoteStart(uint32_t block, uintptr_t first_word);
  // The word at `place` points to the start of a block; all up to `end` belongs to what it is in. Any number of times.
  void NoteHolder(uintptr_t place, uintptr_t end, uint32_t block);

  ledger::Shape ShapeOf(uint32_t block) const { return shapes_[block]; }
  uint16_t TypeOf(uint32_t block) const { return types_[block]; }
  // The classes met, numbered from 1.
  uint16_t type_count() const { return type_count_; }
  ledger::Type type(uint16_t number) const;

 private:
  struct Table {
    uintptr_t address;
    uint32_t number;  // 0: looks like none, or is one too many
    uint32_t known;
  };

  uint16_t TypeOfTable(uintptr_t word);
  bool ReadWords(uintptr_t place, uintptr_t* words, size_t count) const;
  // The block that starts at `address`.
  uint32_t BlockAt(uintptr_t address) const;
  bool IsListNode(uintptr_t address) const;
  // Calls take(address, third word) for each of the ring, from `start` on; false if it is none, or all the walking has become too much.
  template <typename Take>
  bool WalkRing(uintptr_t start, Take take);
  void NoteRing(uint32_t block);
  bool IsTreeNode(uintptr_t address, uint64_t size) const;
  bool NoteHashTable(const uintptr_t* words, uint32_t block);
  bool NoteDeque(const uintptr_t* words, uint32_t block);
  void Set(uint32_t block, ledger::Shape shape) {
    if (shapes_[block] == ledger::Shape::kUnknown) shapes_[block] = shape;
  }

  const Reachability& blocks_;
  const MemoryMap& map_;
  ledger::Shape* shapes_ = nullptr;
  uint16_t* types_ = nullptr;
  Table* tables_ = nullptr;        // by hash of their address, open addressing
  uintptr_t* addresses_ = nullptr;  // by type
  size_t tables_known_ = 0;
  uint16_t type_count_ = 0;
  size_t ring_steps_ = 0;
};

}  // namespace mallocspy

// Which live blocks the program can still reach: conservative marking from root ranges, over the live map and the blocks' headers.
//
// In a process, or a copy of one, in which nothing else runs. Changes nothing but memory of its own. Reads the requested bytes of blocks
// only.
//
// Classes, as in Valgrind's memcheck: reachable (a chain of pointers to starts of blocks leads from a root to it), possible (only with
// pointers into the inside of blocks), definite (none), indirect (none but from a definite one). A cycle has one definite block.
// What C++ and its library keep instead of a pointer to a start counts as one: a pointer behind an array's cookie, to the text of a
// reference-counted std::string, to a base class that is not the first.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/ledger/format.h"
#include "allocator/snapshot/memory_map.h"
#include "allocator/snapshot/memory_window.h"
#include "allocator/snapshot/written_pages.h"

namespace mallocspy {

// Where marking begins. `root` is told of what was found from there: see Reachability::Root.
struct RootRange {
  uintptr_t start;
  uintptr_t end;
  ledger::RootKind kind;
  uint32_t tid;  // 0 for what is no thread's
};

class Reachability {
 public:
  static constexpr uint32_t kNoBlock = UINT32_MAX;

  // The map is for the base classes' tables, and for the pages that need not be looked at.
  explicit constexpr Reachability(const MemoryMap& map) : map_(map) {}
  ~Reachability();
  Reachability(const Reachability&) = delete;
  Reachability& operator=(const Reachability&) = delete;

  // Before Prepare(): every word of a root range that leads to a block is kept, not only the first ones.
  void KeepRootWords() { keeps_root_words_ = true; }

  // Collects the live blocks. False without memory.
  bool Prepare();
  // Marks from one range. Any number of times, then Finish() once; false if there is no memory to sort the lost blocks.
  void MarkFrom(const RootRange& range);
  bool Finish();

  size_t size() const { return count_; }
  uintptr_t AddressOf(size_t block) const { return blocks_[block].address; }
  uint64_t SizeOf(size_t block) const { return blocks_[block].size; }
  // Whether the program said that it is no leak; whether it said that of any.
  bool IsIgnored(size_t block) const { return blocks_[block].ignored; }
  bool has_ignored() const { return has_ignored_; }
  // What library_caches.h found out.
  void NoteCache(size_t block) { blocks_[block].cache = true; }
  bool IsCache(size_t block) const { return blocks_[block].cache; }
  ledger::Reach ClassOf(size_t block) const { return blocks_[block].reach; }
  // Of a reachable or possible one: the number of its root, below root_count(). Of an indirect one: the definite block.
  uint32_t HolderOf(size_t block) const { return blocks_[block].holder; }

  // A word that leads to blocks, and in which range it lies. With very many, some have no address and stand for all of a kind and thread.
  struct Root {
    uintptr_t address;
    ledger::RootKind kind;
    uint32_t tid;
  };
  uint32_t root_count() const { return root_count_; }
  const Root& root(uint32_t number) const { return roots_[number]; }

  // The words that were to be kept; whether there were too many.
  struct RootWord {
    uintptr_t place;  // 0: no memory of the program's
    uint32_t block;
    uint32_t offset;  // in there, UINT32_MAX for more
    uint32_t tid;
    ledger::RootKind kind;
  };
  size_t root_word_count() const { return root_word_count_; }
  const RootWord& root_word(size_t number) const { return root_words_[number]; }
  bool lost_root_words() const { return lost_root_words_; }

  // Whether it was made before the fork that began this process, and is not in its record.
  bool IsInherited(size_t block) const { return blocks_[block].inherited; }

  // Calls take() for each whole word of a block that may be a pointer to one, with its number in the block, ascending.
  void ForEachWord(size_t block, MemoryWindow* window, void (*take)(uint64_t number, uintptr_t word, void* context), void* context) const;

  // Whether `word` is the address of a table of virtual functions.
  bool LooksLikeTable(uintptr_t word) const;

  // The block that holds `address`, kNoBlock if none does; its offset in there. For tests, too.
  uint32_t Find(uintptr_t address, uint64_t* offset) const;

 private:
  struct Node {
    uintptr_t address;
    uint64_t size;
    uint32_t stack;
    uint32_t holder;
    uint32_t first_word;  // of those gathered from it
    uint32_t words;
    ledger::Reach reach;
    bool ignored;
    bool cache;
    bool inherited;
    bool hit_inside;  // by a pointer into it; `holder` is the root's then, unless it is reachable
  };
  // How far a pass follows.
  enum class Pass { kReachable, kPossible };

  void Scan(uintptr_t from, uintptr_t to, Pass pass, uint32_t holder, const RootRange* range);
  void ScanWords(uintptr_t from, uintptr_t to, Pass pass, uint32_t holder, const RootRange* range);
  void KeepRootWord(uintptr_t place, uint32_t block, uint64_t offset, const RootRange& range);
  void Meet(uintptr_t word, uintptr_t place, Pass pass, uint32_t holder, const RootRange* range);
  void ScanBlock(uint32_t block, Pass pass);
  void Drain(Pass pass);
  void Push(uint32_t block) { stack_[stack_size_++] = block; }
  bool StandsForStart(const Node& node, uint64_t offset) const;
  uint32_t AddRoot(uintptr_t address, const RootRange& range);
  class Lost;  // the blocks to which nothing leads
  static void Collect(uintptr_t address, void* context);
  void ReadHeader(Node* node, MemoryWindow* window);
  void Gather(MemoryWindow* window);
  // Of a block's words that may be pointers the one of that number, from 0; false behind the last.
  bool WordAt(const Node& node, uint64_t number, uintptr_t* word) const;
  bool MakePlaces();

  const MemoryMap& map_;
  Node* blocks_ = nullptr;
  size_t count_ = 0;
  size_t capacity_ = 0;
  bool failed_ = false;
  bool has_ignored_ = false;
  uintptr_t lowest_ = 0;
  uintptr_t highest_ = 0;  // one past the last byte of the last block
  uint32_t** places_ = nullptr;  // by address >> kLeafShift: for each page, how many blocks start below it
  uint32_t* stack_ = nullptr;    // blocks still to be scanned
  size_t stack_size_ = 0;
  Root* roots_ = nullptr;
  uint32_t root_count_ = 0;
  uintptr_t* words_ = nullptr;  // by block, in their order: those that lie between the lowest and the highest block
  size_t word_count_ = 0;
  RootWord* root_words_ = nullptr;
  size_t root_word_count_ = 0;
  bool keeps_root_words_ = false;
  bool lost_root_words_ = false;
  WrittenPages written_;
};

}  // namespace mallocspy

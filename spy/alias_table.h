// Which block stands behind a pointer that a spy moved.
//
// A spy may hand out a pointer into the block that it got, so that what the program holds is not the block's start.
// With several such spies each hands its own pointer to the next outer one:
//
//   block's start ---- inner spy ----> alias ---- outer spy ----> alias (the program's pointer)
//
// Every pointer that differs from the start is an alias and is remembered with the slot of the spy that made it.
// An alias lies in its block behind the start, so while the block lives it is no other block's start; aliases and
// starts can share one table of open addressing:
//
//   key = alias: {block, next alias (inwards), slot}     key = start: {block = key, next = outermost alias, kStart}
//
// Used under the spy lock only, but for count(). Memory comes from the operating system and is kept.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace mallocspy {

class AliasTable {
 public:
  struct Entry {
    const void* key;   // null: never used; kDeleted: was used
    void* block;       // its start
    const void* next;  // the next alias inwards; null after the innermost
    int slot;          // of the spy that made the alias; kStart for the entry of the block's start
  };
  static constexpr int kStart = -1;

  constexpr AliasTable() = default;
  AliasTable(const AliasTable&) = delete;
  AliasTable& operator=(const AliasTable&) = delete;

  // Makes room for `aliases` more. False if memory is exhausted; nothing is changed then.
  [[nodiscard]] bool Reserve(size_t aliases);
  // Adds `alias` of `block`, outside all that the block has, in reserved room.
  void Add(void* block, const void* alias, int slot);
  // The entry of an alias, or of a start that has aliases; null for anything else. Valid until the table changes.
  const Entry* Find(const void* pointer) const;
  // The outermost alias of `block`, null if it has none.
  const Entry* Outermost(const void* block) const;
  const Entry* Inwards(const Entry* alias) const { return alias->next == nullptr ? nullptr : Find(alias->next); }
  // Removes the outermost alias of `block`, if any.
  void RemoveOutermost(const void* block);
  // Removes all aliases of `block`.
  void RemoveAll(const void* block);

  // Aliases in the table. Any thread may ask without the lock.
  size_t count() const { return count_.load(std::memory_order_relaxed); }

  // Gives the memory back; for tests, the process's table lives to its end.
  void ReleaseMemory();

 private:
  Entry* FindSlot(const void* pointer) const;
  void Insert(const Entry& entry);
  void Delete(Entry* entry);

  Entry* entries_ = nullptr;
  size_t capacity_ = 0;  // a power of two, or 0
  size_t live_ = 0;      // entries in use
  size_t used_ = 0;      // entries in use or deleted
  std::atomic<size_t> count_{0};
};

}  // namespace mallocspy

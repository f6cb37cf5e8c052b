#include "spy/alias_table.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace mallocspy {
namespace {

constexpr size_t kFirstCapacity = 128;  // entries: one page of 4 KiB
static_assert(sizeof(AliasTable::Entry) == 32);

const void* const kDeleted = reinterpret_cast<const void*>(uintptr_t{1});

// By system call: other preloaded libraries interpose mmap, and may allocate there.
AliasTable::Entry* MapEntries(size_t capacity) {
  const int saved_errno = errno;
  const long address = syscall(SYS_mmap, nullptr, capacity * sizeof(AliasTable::Entry), PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  errno = saved_errno;
  return address == -1 ? nullptr : reinterpret_cast<AliasTable::Entry*>(address);
}

void UnmapEntries(AliasTable::Entry* entries, size_t capacity) {
  const int saved_errno = errno;
  syscall(SYS_munmap, entries, capacity * sizeof(AliasTable::Entry));
  errno = saved_errno;
}

size_t Hash(const void* pointer) {
  const uint64_t mixed = reinterpret_cast<uintptr_t>(pointer) * uint64_t{0x9e3779b97f4a7c15};
  return static_cast<size_t>(mixed >> 20);
}

// Writes the key last and alone: a child forked between two stores of another thread sees a whole entry or none.
// Whether the place was never used before.
bool Put(AliasTable::Entry* entries, size_t capacity, const AliasTable::Entry& entry) {
  size_t i = Hash(entry.key);
  while (entries[i & (capacity - 1)].key != nullptr && entries[i & (capacity - 1)].key != kDeleted) ++i;
  AliasTable::Entry* place = &entries[i & (capacity - 1)];
  const bool never_used = place->key == nullptr;
  place->block = entry.block;
  place->next = entry.next;
  place->slot = entry.slot;
  __atomic_store_n(&place->key, entry.key, __ATOMIC_RELEASE);
  return never_used;
}

}  // namespace

AliasTable::Entry* AliasTable::FindSlot(const void* pointer) const {
  if (capacity_ == 0 || pointer == nullptr || pointer == kDeleted) return nullptr;
  for (size_t i = Hash(pointer);; ++i) {
    Entry* entry = &entries_[i & (capacity_ - 1)];
    if (entry->key == pointer) return entry;
    if (entry->key == nullptr) return nullptr;
  }
}

const AliasTable::Entry* AliasTable::Find(const void* pointer) const { return FindSlot(pointer); }

const AliasTable::Entry* AliasTable::Outermost(const void* block) const {
  const Entry* start = FindSlot(block);
  return start == nullptr || start->slot != kStart ? nullptr : FindSlot(start->next);
}

void AliasTable::Insert(const Entry& entry) {
  if (Put(entries_, capacity_, entry)) ++used_;
  ++live_;
}

void AliasTable::Delete(Entry* entry) {
  __atomic_store_n(&entry->key, kDeleted, __ATOMIC_RELEASE);
  --live_;
}

// Keeps at least a quarter of the table never used, so that every search ends.
bool AliasTable::Reserve(size_t aliases) {
  const size_t entries = 2 * aliases;  // each may need one for its block's start
  if ((used_ + entries) * 4 <= capacity_ * 3) return true;
  size_t capacity = capacity_ == 0 ? kFirstCapacity : capacity_;
  // If most of what is used is deleted, the same size will do.
  while ((live_ + entries) * 2 > capacity) capacity *= 2;
  Entry* fresh = MapEntries(capacity);
  if (fresh == nullptr) return false;
  Entry* const old_entries = entries_;
  const size_t old_capacity = capacity_;
  for (size_t i = 0; i < old_capacity; ++i) {
    if (old_entries[i].key != nullptr && old_entries[i].key != kDeleted) Put(fresh, capacity, old_entries[i]);
  }
  entries_ = fresh;
  capacity_ = capacity;
  used_ = live_;
  if (old_entries != nullptr) UnmapEntries(old_entries, old_capacity);
  return true;
}

void AliasTable::Add(void* block, const void* alias, int slot) {
  Entry* start = FindSlot(block);
  Insert({alias, block, start == nullptr ? nullptr : start->next, slot});
  if (start == nullptr) {
    Insert({block, block, alias, kStart});
  } else {
    start->next = alias;
  }
  count_.fetch_add(1, std::memory_order_relaxed);
}

void AliasTable::RemoveOutermost(const void* block) {
  Entry* start = FindSlot(block);
  if (start == nullptr || start->slot != kStart) return;
  Entry* alias = FindSlot(start->next);
  start->next = alias->next;
  Delete(alias);
  count_.fetch_sub(1, std::memory_order_relaxed);
  if (start->next == nullptr) Delete(start);
}

void AliasTable::RemoveAll(const void* block) {
  while (Outermost(block) != nullptr) RemoveOutermost(block);
}

void AliasTable::ReleaseMemory() {
  if (entries_ != nullptr) UnmapEntries(entries_, capacity_);
  entries_ = nullptr;
  capacity_ = live_ = used_ = 0;
  count_.store(0, std::memory_order_relaxed);
}

}  // namespace mallocspy

// The ledger of this process: its header and its growing tables (format.h has the layout and what the words mean).
//
// Reading a record by index takes no lock and never waits. Adding one is done under `lock()`, which is held only for
// short stretches of our own code: never across a wrapped allocation, an unwind or a loader call. In a forked child
// Adopt() makes the copy that the child writes to; until then the child must not record.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "allocator/ledger/format.h"
#include "allocator/ledger/ledger_memory.h"
#include "spy/futex_lock.h"

namespace mallocspy::ledger {

// Which extent holds `index`, and the first index in it.
constexpr uint32_t ExtentOf(uint32_t index, uint32_t first_records) {
  const uint32_t scaled = index / first_records;
  return scaled == 0 ? 0 : 32 - static_cast<uint32_t>(__builtin_clz(scaled));
}
constexpr uint64_t ExtentStart(uint32_t extent, uint32_t first_records) {
  return extent == 0 ? 0 : static_cast<uint64_t>(first_records) << (extent - 1);
}
constexpr uint64_t ExtentRecords(uint32_t extent, uint32_t first_records) {
  return extent == 0 ? first_records : static_cast<uint64_t>(first_records) << (extent - 1);
}

struct TableShape {
  uint32_t record_bytes;
  uint32_t first_records;
};

// One page each to begin with: a short-lived process should not pay for a long one.
inline constexpr TableShape kShapes[] = {
    {sizeof(Node), 256},     // kNodes
    {sizeof(Stack), 32},     // kStacks
    {sizeof(Module), 32},    // kModules
    {sizeof(Thread), 64},    // kThreads
    {1, 4096},               // kStrings
    {sizeof(Error), 64},     // kErrors
    {sizeof(CounterBank), 4},  // kCounters
    {sizeof(Root), 256},     // kRoots
    {sizeof(Handover), 128},  // kHandovers
    {sizeof(ReferenceCall), 256},  // kReferenceCalls
    {sizeof(Mark), 128},           // kMarks
};
static_assert(sizeof(kShapes) / sizeof(kShapes[0]) == static_cast<size_t>(TableId::kCount));

class Ledger {
 public:
  // Makes an empty ledger: in a file in `directory`; if that is null and `visible`, in one without a name; or private, if neither was asked for
  // or can be made (then kLedgerPrivate is set, if a directory was). Once, before anything else. False when there is no memory at all.
  bool Create(const char* directory, uint32_t pid, bool visible = false);

  // In a forked child, alone: a ledger of its own with the same stacks, modules and strings and with counters at zero.
  // Where it lies: as in Create(). False if `directory` is not null and none could be made there; the copy is private then.
  bool Adopt(const char* directory, uint32_t pid, bool visible = false);

  // In a copy of the process, alone: what is written from now on stays in the copy. Counters of a shared ledger are those of a moment after
  // the copying. False without memory.
  bool Detach();

  Header& header() { return *header_; }
  FutexLock& lock() { return lock_; }
  LedgerMemory& memory() { return memory_; }
  void SetDegraded(Degraded what) { header_->degraded.fetch_or(what, std::memory_order_relaxed); }

  // The record at `index`, which must be below the table's count (or just reserved).
  template <typename Record>
  Record* At(TableId table, uint32_t index) {
    return reinterpret_cast<Record*>(Address(table, index));
  }
  uint32_t Count(TableId table) { return static_cast<uint32_t>(TableOf(table).count.load(std::memory_order_acquire)); }

  // Under lock(): room for `records` consecutive records in one extent; their first index, or 0 when memory is full
  // (and kLedgerFull is set). They are zero and not yet counted: fill them, then Publish().
  uint32_t Reserve(TableId table, uint32_t records = 1);
  // Under lock(): the records from Reserve() are complete; `end` is one past the last.
  void Publish(TableId table, uint32_t end);

  // Under lock(): copies a string in; an empty reference when memory is full.
  StringRef AddString(const char* text, size_t length);

 private:
  Table& TableOf(TableId table) { return header_->tables[static_cast<size_t>(table)]; }
  unsigned char* Address(TableId table, uint32_t index) {
    const TableShape& shape = kShapes[static_cast<size_t>(table)];
    const uint32_t extent = ExtentOf(index, shape.first_records);
    unsigned char* start = extents_[static_cast<size_t>(table)][extent].load(std::memory_order_acquire);
    return start + (index - ExtentStart(extent, shape.first_records)) * shape.record_bytes;
  }
  void FormatTables();
  uint64_t EndOfExtents() const;  // file offset
  void MoveTo(const LedgerMemory& memory);
  // After a copy from a parent that went on writing: drops extents, records and references that the copy lacks.
  void ForgetLaterRecords();

  Header* header_ = nullptr;
  LedgerMemory memory_;
  FutexLock lock_;
  std::atomic<unsigned char*> extents_[static_cast<size_t>(TableId::kCount)][kMaxExtents] = {};
};

// The one ledger of this process. Constant-initialized and never destroyed: calls come before the first constructor
// and after the last destructor.
extern Ledger g_ledger;

}  // namespace mallocspy::ledger

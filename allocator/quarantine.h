// Freed blocks that are kept for a while, filled: what is written into one is found when it leaves, the oldest first, and until then its
// address is no other block's.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "allocator/block_header.h"
#include "spy/futex_lock.h"

namespace mallocspy {

// What new and freed memory is filled with: no pointer, no text, and as numbers large.
inline constexpr unsigned char kNewByte = 0xcd;
inline constexpr unsigned char kFreedByte = 0xdf;

class Quarantine {
 public:
  // One block in it. Its guard and header are left as they were, its payload is filled with kFreedByte.
  struct Kept {
    void* block = nullptr;
    void* raw = nullptr;  // the wrapped block
    BlockHeader header = {};
    uint32_t freed = 0;  // ledger node where it was freed
    uint16_t base_mark = 0;  // Settings::base_mark of the process that freed it
  };

  constexpr Quarantine() = default;
  Quarantine(const Quarantine&) = delete;
  Quarantine& operator=(const Quarantine&) = delete;

  // Room for `bytes` of freed blocks, with what lies around them; false for none. Before any event.
  bool Start(uint64_t bytes);

  // Takes a block that was just freed, already filled; false if it would be too large a part of the whole. Any thread.
  bool Keep(const Kept& kept);
  // One that has to leave, the oldest; its block is null if there is none. Any thread.
  Kept TakeSurplus();

  // The kept block that `address` is in; its block is null if there is none. Looks at all of them. Any thread.
  Kept Find(uintptr_t address);

  // Every kept block, the oldest first. `visit` must not come back here.
  void ForEach(void (*visit)(const Kept& kept, void* context), void* context);

  // For the child of a fork and for the end, where whoever holds it is not there or will not go on.
  FutexLock& lock() { return lock_; }

 private:
  const Kept& At(uint64_t number) const { return kept_[number % capacity_]; }

  FutexLock lock_;
  Kept* kept_ = nullptr;  // a ring
  uint64_t capacity_ = 0;
  uint64_t limit_ = 0;  // bytes
  // Numbers of entries, ever growing: those from oldest_ on, less than next_, are there.
  uint64_t oldest_ = 0;
  uint64_t next_ = 0;
  uint64_t bytes_ = 0;
};

extern Quarantine g_quarantine;

// Whether a kept block was written since it was freed, and then the offset from its start of the first such byte: negative in its header.
bool IsWritten(const Quarantine::Kept& kept, int64_t* offset);

}  // namespace mallocspy

// Places for blocks that touch an inaccessible page, in one reservation of address space.
//
//   class of 1 page:  | page | none | page | none | ...     class of 2 pages:  | page | page | none | ...
//                     '---- slot ---'                                          '------- slot -------'
//   a slot, page_guard_side=behind:  | none | header, block, slack | none |     (slack: less than the block's alignment)
//                           before:  | header, block, rear guard, unused | none |
//
// Only the pages that a live block needs are accessible. When it is freed they are replaced by fresh inaccessible ones, which the kernel joins
// with their neighbors: so a live block costs two mappings, a freed one neither
// mappings nor memory. A slot is taken again when all others of its class have been, the one that was freed first before the others. What
// became of it lies beside, in a table.
//
// No lock: any thread, any signal handler, and a child of a fork at any moment. A call that is left in the middle loses a slot at most.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "allocator/block_header.h"
#include "allocator/ledger/format.h"

namespace mallocspy {

class GuardedPages {
 public:
  enum class Side : uint8_t { kBehind, kBefore };
  static constexpr size_t kClasses = 9;  // of 1, 2, 4, ... 256 pages

  constexpr GuardedPages() = default;
  GuardedPages(const GuardedPages&) = delete;
  GuardedPages& operator=(const GuardedPages&) = delete;

  // Reserves address space; at most `most_live` slots will be accessible at a time. False if there is none. Before any other call.
  bool Start(Side side, uint64_t most_live);

  bool Holds(const void* address) const { return reinterpret_cast<uintptr_t>(address) - start_ < bytes_; }
  Side side() const { return side_; }

  // A place for a block with `front_bytes` in front of it and its own rear guard, if it has one, behind; zeroed memory. Null, and why, if
  // there is none. The place is nobody's until SetMade().
  void* Take(size_t bytes, size_t alignment, size_t front_bytes, bool guarded, ledger::BytesOnly* why);
  // Its header was written.
  void SetMade(void* block);
  // Nobody writes into it any more: it becomes inaccessible. `freed` and `tid` say where and by whom, 0 if that is not known.
  void Free(void* block, uint32_t freed, uint32_t tid);

  // The bytes between a block and the inaccessible page behind it. They carry the guard's pattern.
  void WriteSlack(void* block, size_t size) const;
  // As CheckGuard() of block_header.h.
  size_t CheckSlack(const void* block, size_t size) const;

  // What is known of a block that is or was there.
  struct Place {
    const void* block = nullptr;
    BlockHeader header = {};
    uint32_t freed = 0;  // ledger node
    uint32_t freed_tid = 0;
    bool is_freed = false;
  };

  // The block that begins at `address` or has it inside; its `block` is null if there is none.
  Place Of(const void* address) const;

  enum class Fault {
    kNone,        // no block is near, or the page is a live block's own: the program made it inaccessible
    kAccessible,  // it was opened meanwhile
    kNear,        // about that place
  };
  // What an access that faulted there is about: the block that had the page or, of a page of nobody's, the nearer one.
  Fault Look(uintptr_t address, Place* place) const;

  // Makes the page there accessible, and with it what belongs to it, until the slot is taken again. When the kernel refuses it, or too much
  // was opened already, all is opened and nothing guarded any more. False if that fails, too.
  bool Open(uintptr_t address);

 private:
  enum State : uint8_t { kEmpty, kTaken, kLive, kFreed };
  // What of a slot is accessible that should not be.
  enum Opened : uint8_t { kBlockOpen = 1, kUnusedOpen = 2, kGuardOpen = 4 };

  struct Slot {
    std::atomic<uint8_t> state;
    std::atomic<uint8_t> opened;
    uint16_t first;  // of the pages that the block needs
    uint16_t pages;
    uint16_t reserved;
    uint32_t freed;
    uint32_t freed_tid;
    uintptr_t block;
    BlockHeader header;
  };
  static_assert(sizeof(Slot) == 40);

  struct Class {
    uintptr_t start;
    uint64_t slot_bytes;
    uint32_t count;
    Slot* slots;
    std::atomic<uint32_t>* waiting;  // freed slots, a ring: number + 1, 0 for none
    std::atomic<uint64_t> fresh;     // so many were taken at least once
    std::atomic<uint64_t> oldest;    // of the ring, ever growing
    std::atomic<uint64_t> next;
  };

  // A slot by its class and number; no class: none.
  struct Where {
    const Class* of;
    uint32_t number;
    Slot* slot() const { return of->slots + number; }
    uintptr_t start() const { return of->start + number * of->slot_bytes; }
    uintptr_t guard() const { return start() + of->slot_bytes - ledger::kPageBytes; }  // the inaccessible page at its end
  };
  Where Find(uintptr_t address) const;
  Where Next(Class* of);
  void Wait(Class* of, uint32_t number);
  bool Reset(const Where& where);
  Place Describe(const Where& where) const;
  uintptr_t EndOf(uintptr_t block) const { return Find(block).guard(); }

  uintptr_t start_ = 0;
  uint64_t bytes_ = 0;
  Side side_ = Side::kBehind;
  Class classes_[kClasses] = {};
  uint64_t class_bytes_ = 0;
  int64_t most_live_ = 0;
  std::atomic<int64_t> accessible_{0};
  std::atomic<int64_t> openings_{0};
  std::atomic<bool> given_up_{false};
};

extern GuardedPages g_guarded_pages;

}  // namespace mallocspy

#include "allocator/guarded_pages.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <cstring>

#include "allocator/system/os_memory.h"
#include "allocator/system/own_memory.h"
#include "allocator/system/raw_syscall.h"

namespace mallocspy {

constinit GuardedPages g_guarded_pages;

namespace {

using ledger::BytesOnly;

constexpr uint64_t kMostClassBytes = uint64_t{512} << 20;  // address space of a class
constexpr uint64_t kLeastClassBytes = uint64_t{8} << 20;
constexpr uint64_t kPartOfLimit = 8;  // a limit of address space is the program's; so much of it may be ours

uintptr_t Reserve(uintptr_t at, uint64_t bytes) {
  const int fixed = at != 0 ? MAP_FIXED : 0;
  const long result = RawSyscall(SYS_mmap, at, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | fixed, -1, 0);
  return RawFailed(result) ? 0 : static_cast<uintptr_t>(result);
}

bool Allow(uintptr_t at, uint64_t bytes) {
  return bytes == 0 || !RawFailed(RawSyscall(SYS_mprotect, at, bytes, PROT_READ | PROT_WRITE));
}

uint64_t ClassBytes() {
  rlimit limit = {};
  RawSyscall(SYS_prlimit64, 0, RLIMIT_AS, nullptr, &limit);
  const uint64_t part = limit.rlim_cur / kPartOfLimit / GuardedPages::kClasses & ~(kPageBytes - 1);
  return limit.rlim_cur == RLIM_INFINITY || part > kMostClassBytes ? kMostClassBytes : part;
}

}  // namespace

bool GuardedPages::Start(Side side, uint64_t most_live) {
  uintptr_t at = 0;
  uint64_t class_bytes = ClassBytes();
  // A page in front is there for the first block of all.
  for (; class_bytes >= kLeastClassBytes; class_bytes = class_bytes / 2 & ~(kPageBytes - 1)) {
    at = Reserve(0, kPageBytes + kClasses * class_bytes);
    if (at != 0) break;
  }
  if (at == 0) return false;
  uint64_t slots = 0;
  for (size_t i = 0; i < kClasses; ++i) {
    Class& of = classes_[i];
    of.start = at + kPageBytes + i * class_bytes;
    of.slot_bytes = ((uint64_t{1} << i) + 1) * kPageBytes;
    of.count = static_cast<uint32_t>(class_bytes / of.slot_bytes);
    slots += of.count;
  }
  char* table = static_cast<char*>(MapPrivate(slots * (sizeof(Slot) + sizeof(uint32_t))));
  if (table == nullptr) {
    RawSyscall(SYS_munmap, at, kPageBytes + kClasses * class_bytes);
    return false;
  }
  Slot* slot = reinterpret_cast<Slot*>(table);
  auto* waiting = reinterpret_cast<std::atomic<uint32_t>*>(table + slots * sizeof(Slot));
  for (Class& of : classes_) {
    of.slots = slot;
    of.waiting = waiting;
    slot += of.count;
    waiting += of.count;
  }
  AddOwnMemory(at, at + kPageBytes + kClasses * class_bytes);  // its blocks are found by the live map: it is no root
  side_ = side;
  most_live_ = static_cast<int64_t>(most_live);
  class_bytes_ = class_bytes;
  bytes_ = kPageBytes + kClasses * class_bytes;
  start_ = at;
  return true;
}

GuardedPages::Where GuardedPages::Find(uintptr_t address) const {
  if (address - start_ >= bytes_ || address - start_ < kPageBytes) return {nullptr, 0};
  const Class* of = &classes_[(address - start_ - kPageBytes) / class_bytes_];
  const uint64_t number = (address - of->start) / of->slot_bytes;
  return number < of->count ? Where{of, static_cast<uint32_t>(number)} : Where{nullptr, 0};
}

// One that was never taken or, when there are no more, the one that has waited longest.
GuardedPages::Where GuardedPages::Next(Class* of) {
  if (of->fresh.load(std::memory_order_relaxed) < of->count) {
    const uint64_t number = of->fresh.fetch_add(1, std::memory_order_relaxed);
    if (number < of->count) return {of, static_cast<uint32_t>(number)};
  }
  for (uint64_t oldest = of->oldest.load(std::memory_order_acquire); oldest < of->next.load(std::memory_order_acquire);) {
    if (!of->oldest.compare_exchange_weak(oldest, oldest + 1, std::memory_order_acq_rel)) continue;
    // Zero if whoever puts it there is not done: then that slot is lost.
    const uint32_t waiting = of->waiting[oldest % of->count].exchange(0, std::memory_order_acq_rel);
    if (waiting == 0) return {nullptr, 0};
    const Where where = {of, waiting - 1};
    return Reset(where) ? where : Where{nullptr, 0};
  }
  return {nullptr, 0};
}

void GuardedPages::Wait(Class* of, uint32_t number) {
  const uint64_t at = of->next.fetch_add(1, std::memory_order_acq_rel);
  of->waiting[at % of->count].store(number + 1, std::memory_order_release);
}

// All of it inaccessible again.
bool GuardedPages::Reset(const Where& where) {
  Slot* slot = where.slot();
  if (slot->opened.load(std::memory_order_relaxed) == 0) return true;
  if (Reserve(where.start(), where.of->slot_bytes) == 0) return false;
  slot->opened.store(0, std::memory_order_relaxed);
  return true;
}

void* GuardedPages::Take(size_t bytes, size_t alignment, size_t front_bytes, bool guarded, BytesOnly* why) {
  *why = BytesOnly::kSize;
  constexpr size_t kMostBytes = kPageBytes << (kClasses - 1);
  if (bytes > kMostBytes || alignment > kPageBytes || front_bytes > kMostBytes) return nullptr;
  const size_t behind = side_ == Side::kBehind ? RoundUp(bytes, alignment) : TailBytes(bytes, guarded);
  const size_t pages = (front_bytes + behind + kPageBytes - 1) / kPageBytes;
  if (pages > kMostBytes / kPageBytes) return nullptr;
  const auto index = static_cast<size_t>(pages <= 1 ? 0 : 64 - __builtin_clzll(pages - 1));
  *why = BytesOnly::kMappings;
  if (given_up_.load(std::memory_order_relaxed)) return nullptr;
  if (start_ == 0) {
    *why = BytesOnly::kRoom;
    return nullptr;
  }
  if (accessible_.fetch_add(1, std::memory_order_relaxed) >= most_live_) {
    accessible_.fetch_sub(1, std::memory_order_relaxed);
    return nullptr;
  }
  Class* of = &classes_[index];
  const Where where = Next(of);
  if (where.of == nullptr) {
    accessible_.fetch_sub(1, std::memory_order_relaxed);
    *why = BytesOnly::kRoom;
    return nullptr;
  }
  Slot* slot = where.slot();
  slot->pages = static_cast<uint16_t>(pages);
  slot->first = side_ == Side::kBehind ? static_cast<uint16_t>((size_t{1} << index) - pages) : uint16_t{0};
  const uintptr_t first = where.start() + slot->first * kPageBytes;
  if (!Allow(first, pages * kPageBytes)) {
    accessible_.fetch_sub(1, std::memory_order_relaxed);
    slot->state.store(kEmpty, std::memory_order_relaxed);
    Wait(of, where.number);
    *why = BytesOnly::kRoom;
    return nullptr;
  }
  slot->block = side_ == Side::kBehind ? where.guard() - behind : first + front_bytes;
  slot->state.store(kTaken, std::memory_order_release);
  return reinterpret_cast<void*>(slot->block);
}

void GuardedPages::SetMade(void* block) {
  Slot* slot = Find(reinterpret_cast<uintptr_t>(block)).slot();
  slot->header = *HeaderOf(block);
  slot->freed = 0;
  slot->freed_tid = 0;
  slot->state.store(kLive, std::memory_order_release);
}

void GuardedPages::Free(void* block, uint32_t freed, uint32_t tid) {
  const Where where = Find(reinterpret_cast<uintptr_t>(block));
  Slot* slot = where.slot();
  slot->freed = freed;
  slot->freed_tid = tid;
  // First of all: another thread may meet the page as soon as it is inaccessible.
  slot->state.store(kFreed, std::memory_order_release);
  const bool all = slot->opened.load(std::memory_order_relaxed) != 0;
  const uintptr_t start = all ? where.start() : where.start() + slot->first * kPageBytes;
  const uint64_t bytes = all ? where.of->slot_bytes : slot->pages * kPageBytes;
  if (!given_up_.load(std::memory_order_relaxed) && Reserve(start, bytes) != 0) {
    slot->opened.store(0, std::memory_order_relaxed);
    accessible_.fetch_sub(1, std::memory_order_relaxed);
  } else {
    slot->opened.fetch_or(kBlockOpen, std::memory_order_relaxed);  // the kernel refused: it stays as it is
  }
  Wait(const_cast<Class*>(where.of), where.number);
}

void GuardedPages::WriteSlack(void* block, size_t size) const {
  auto* const end = reinterpret_cast<unsigned char*>(EndOf(reinterpret_cast<uintptr_t>(block)));
  unsigned char* at = static_cast<unsigned char*>(block) + size;
  for (size_t offset = size; at < end; ++at, ++offset) *at = static_cast<unsigned char>(GuardAt(offset));
}

size_t GuardedPages::CheckSlack(const void* block, size_t size) const {
  const auto* const end = reinterpret_cast<const unsigned char*>(EndOf(reinterpret_cast<uintptr_t>(block)));
  const unsigned char* at = static_cast<const unsigned char*>(block) + size;
  for (size_t offset = size; at < end; ++at, ++offset) {
    if (*at != static_cast<unsigned char>(GuardAt(offset))) return offset;
  }
  return 0;
}

GuardedPages::Place GuardedPages::Describe(const Where& where) const {
  const Slot* slot = where.slot();
  const uint8_t state = slot->state.load(std::memory_order_acquire);
  if (state != kLive && state != kFreed) return {};
  return {reinterpret_cast<const void*>(slot->block), slot->header, slot->freed, slot->freed_tid, state == kFreed};
}

GuardedPages::Place GuardedPages::Of(const void* address) const {
  const Where where = Find(reinterpret_cast<uintptr_t>(address));
  if (where.of == nullptr) return {};
  const Place place = Describe(where);
  const bool inside = reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(place.block) < place.header.size;
  return place.block == address || inside ? place : Place{};
}

GuardedPages::Fault GuardedPages::Look(uintptr_t address, Place* place) const {
  if (given_up_.load(std::memory_order_relaxed)) return Fault::kAccessible;
  uint64_t nearest = UINT64_MAX;
  const auto consider = [&](const Where& where) {
    const Place there = where.of != nullptr ? Describe(where) : Place{};
    if (there.block == nullptr) return;
    const uintptr_t block = reinterpret_cast<uintptr_t>(there.block);
    const uint64_t distance = address < block ? block - address : address - block < there.header.size ? 0 : address - block - there.header.size;
    if (distance >= nearest) return;
    nearest = distance;
    *place = there;
  };
  const Where where = Find(address);
  if (where.of != nullptr) {
    const Slot* slot = where.slot();
    const uint64_t page = (address - where.start()) / kPageBytes;
    const bool own = page >= slot->first && page < uint64_t{slot->first} + slot->pages;
    const uint8_t state = slot->state.load(std::memory_order_acquire);
    const uint8_t kind = address >= where.guard() ? kGuardOpen : own ? kBlockOpen : kUnusedOpen;
    if ((slot->opened.load(std::memory_order_acquire) & kind) != 0) return Fault::kAccessible;
    if (kind == kBlockOpen && (state == kLive || state == kTaken)) return Fault::kNone;
    if (kind == kBlockOpen && state == kFreed) {
      *place = Describe(where);
      return Fault::kNear;
    }
    consider(where);
    if (address >= where.guard()) consider(Find(address + kPageBytes));
    if (where.number != 0) consider({where.of, where.number - 1});
  } else {
    consider(Find(address + kPageBytes));  // the page in front of all
  }
  return nearest != UINT64_MAX ? Fault::kNear : Fault::kNone;
}

bool GuardedPages::Open(uintptr_t address) {
  const Where where = Find(address);
  if (where.of == nullptr) return Allow(address & ~(kPageBytes - 1), kPageBytes);  // in front of all, or behind a class
  if (openings_.fetch_add(1, std::memory_order_relaxed) < most_live_) {
    Slot* slot = where.slot();
    const uint64_t page = (address - where.start()) / kPageBytes;
    const uintptr_t first = where.start() + slot->first * kPageBytes;
    const uintptr_t last = first + slot->pages * kPageBytes;
    bool done;
    uint8_t kind;
    if (address >= where.guard()) {
      kind = kGuardOpen;
      done = Allow(where.guard(), kPageBytes);
    } else if (page >= slot->first && page < uint64_t{slot->first} + slot->pages) {
      kind = kBlockOpen;
      done = Allow(first, slot->pages * kPageBytes);
    } else {
      kind = kUnusedOpen;
      done = Allow(where.start(), first - where.start()) && Allow(last, where.guard() - last);
    }
    if (done) {
      slot->opened.fetch_or(kind, std::memory_order_release);
      return true;
    }
  }
  if (!Allow(start_, bytes_)) return false;
  given_up_.store(true, std::memory_order_relaxed);
  return true;
}

}  // namespace mallocspy

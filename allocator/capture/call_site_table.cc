#include "allocator/capture/call_site_table.h"

#include <bit>

#include "allocator/ledger/ledger.h"
#include "allocator/system/os_memory.h"

namespace mallocspy {

constinit CallSiteTable g_call_sites;

namespace {

constexpr uint64_t kFirstEntries = 256;

uint64_t HashOf(uintptr_t return_address) { return return_address * 0x9e3779b97f4a7c15 >> 32; }

bool IsUnloaded(uint64_t site) {
  const uint32_t module = static_cast<uint32_t>(site >> ledger::kSiteModuleShift);
  return module != 0 && ledger::g_ledger.At<ledger::Module>(ledger::TableId::kModules, module)->unloaded != 0;
}

}  // namespace

// The entry of the address, or the free one where it belongs.
CallSiteTable::Entry* CallSiteTable::Place(Entries* entries, uintptr_t return_address) {
  for (uint64_t at = HashOf(return_address);; ++at) {
    Entry* entry = &entries->list[at & entries->mask];
    const uintptr_t there = entry->return_address.load(std::memory_order_acquire);
    if (there == return_address || there == 0) return entry;
  }
}

bool CallSiteTable::Find(uintptr_t return_address, CallSite* call_site) const {
  Entries* entries = entries_.load(std::memory_order_acquire);
  if (entries == nullptr) return false;
  const Entry* entry = Place(entries, return_address);
  if (entry->return_address.load(std::memory_order_relaxed) == 0) return false;
  call_site->rule = std::bit_cast<FrameRule>(entry->rule.load(std::memory_order_acquire));
  call_site->site = entry->site.load(std::memory_order_relaxed);
  return call_site->rule.kind != FrameRule::kUnknown;
}

bool CallSiteTable::Grow() {
  Entries* before = entries_.load(std::memory_order_relaxed);
  const uint64_t capacity = before == nullptr ? kFirstEntries : (before->mask + 1) * 2;
  Entries* grown = static_cast<Entries*>(MapPopulated(sizeof(Entries) + capacity * sizeof(Entry)));
  if (grown == nullptr) return false;
  grown->mask = capacity - 1;
  count_ = 0;
  for (uint64_t i = 0; before != nullptr && i <= before->mask; ++i) {
    const Entry& entry = before->list[i];
    const uintptr_t return_address = entry.return_address.load(std::memory_order_relaxed);
    const uint64_t rule = entry.rule.load(std::memory_order_relaxed);
    if (std::bit_cast<FrameRule>(rule).kind == FrameRule::kUnknown) continue;
    Entry* place = Place(grown, return_address);
    place->site.store(entry.site.load(std::memory_order_relaxed), std::memory_order_relaxed);
    place->rule.store(rule, std::memory_order_relaxed);
    place->return_address.store(return_address, std::memory_order_relaxed);
    ++count_;
  }
  entries_.store(grown, std::memory_order_release);
  return true;
}

void CallSiteTable::Add(uintptr_t return_address, const CallSite& call_site) {
  FutexLockHolder hold(lock_);
  Entries* entries = entries_.load(std::memory_order_relaxed);
  if (entries == nullptr || count_ * 2 > entries->mask) {
    if (!Grow()) return;
    entries = entries_.load(std::memory_order_relaxed);
  }
  Entry* place = Place(entries, return_address);
  place->site.store(call_site.site, std::memory_order_relaxed);
  place->rule.store(std::bit_cast<uint64_t>(call_site.rule), std::memory_order_release);
  if (place->return_address.load(std::memory_order_relaxed) == 0) ++count_;
  place->return_address.store(return_address, std::memory_order_release);
}

void CallSiteTable::BeginUnload() { epoch_.fetch_add(1, std::memory_order_acq_rel); }

void CallSiteTable::EndUnload() {
  {
    FutexLockHolder hold(lock_);
    Entries* entries = entries_.load(std::memory_order_relaxed);
    for (uint64_t i = 0; entries != nullptr && i <= entries->mask; ++i) {
      Entry& entry = entries->list[i];
      if (IsUnloaded(entry.site.load(std::memory_order_relaxed))) entry.rule.store(0, std::memory_order_release);
    }
  }
  // One finished more, one under way less; but for a fork inside of it, after which the child knows of none.
  uint64_t epoch = epoch_.load(std::memory_order_relaxed);
  while (!epoch_.compare_exchange_weak(epoch, epoch + kUnloadsMask + (IsStable(epoch) ? 1 : 0), std::memory_order_acq_rel)) {
  }
}

void CallSiteTable::BeforeLoad() { epoch_.fetch_add(kUnloadsMask + 1, std::memory_order_acq_rel); }

void CallSiteTable::AdoptAfterFork() {
  lock_.Reset();
  const uint64_t epoch = epoch_.load(std::memory_order_relaxed);
  if (IsStable(epoch)) return;
  Entries* entries = entries_.load(std::memory_order_relaxed);
  for (uint64_t i = 0; entries != nullptr && i <= entries->mask; ++i) entries->list[i].rule.store(0, std::memory_order_relaxed);
  epoch_.store((epoch | kUnloadsMask) + 1, std::memory_order_release);
}

}  // namespace mallocspy

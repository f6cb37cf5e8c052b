#include "allocator/ledger/handover_table.h"

#include <atomic>

#include "allocator/ledger/module_table.h"

namespace mallocspy::ledger {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

// Pairs of modules and doors. Beyond that they are counted as of unknown modules.
constexpr uint32_t kPlaces = 8192;
constexpr uint32_t kMostHandovers = kPlaces / 2;

// Numbers of records, by hash; 0 for none. Readers take no lock.
constinit std::atomic<uint32_t> places[kPlaces] = {};

uint32_t HashOf(const Handover& key) {
  const uint64_t word = uint64_t{key.maker} << 48 | uint64_t{key.freer} << 32 | uint64_t{key.made} << 8 | key.freed;
  return static_cast<uint32_t>(word * 0x9e3779b97f4a7c15 >> 40);
}

bool Same(const Handover& a, const Handover& b) {
  return a.maker == b.maker && a.freer == b.freer && a.made == b.made && a.freed == b.freed;
}

// The record with that key, or null; `place` is where it is or would be.
Handover* Find(const Handover& key, uint32_t* place) {
  for (uint32_t i = HashOf(key);; ++i) {
    *place = i % kPlaces;
    const uint32_t number = places[*place].load(std::memory_order_acquire);
    if (number == 0) return nullptr;
    Handover* known = g_ledger.At<Handover>(TableId::kHandovers, number);
    if (Same(*known, key)) return known;
  }
}

Handover* Add(const Handover& key) {
  FutexLockHolder hold(g_ledger.lock());
  uint32_t place;
  if (Handover* known = Find(key, &place); known != nullptr) return known;
  const bool full = g_ledger.Count(TableId::kHandovers) > kMostHandovers && (key.maker != 0 || key.freer != 0);
  const uint32_t number = full ? 0 : g_ledger.Reserve(TableId::kHandovers);
  if (number == 0) return nullptr;
  Handover* added = g_ledger.At<Handover>(TableId::kHandovers, number);
  added->maker = key.maker;
  added->freer = key.freer;
  added->made = key.made;
  added->freed = key.freed;
  g_ledger.Publish(TableId::kHandovers, number + 1);
  places[place].store(number, std::memory_order_release);
  return added;
}

uint16_t ModuleOf(uint64_t site) { return static_cast<uint16_t>(site >> kSiteModuleShift); }

}  // namespace

void NoteHandover(uint32_t stack, Door made, uint64_t bytes, Door freed, uintptr_t return_address) {
  Handover key = {};
  const uint32_t node = g_ledger.At<Stack>(TableId::kStacks, stack)->node;
  key.maker = node != 0 ? ModuleOf(g_ledger.At<Node>(TableId::kNodes, node)->site) : uint16_t{0};
  key.freer = return_address != 0 ? ModuleOf(g_modules.SiteOfKnown(return_address)) : uint16_t{0};
  key.made = static_cast<uint8_t>(made);
  key.freed = static_cast<uint8_t>(freed);
  uint32_t place;
  Handover* handover = Find(key, &place);
  if (handover == nullptr) handover = Add(key);
  if (handover == nullptr) {
    key.maker = 0;
    key.freer = 0;
    handover = Add(key);
    if (handover == nullptr) return;
  }
  handover->blocks.fetch_add(1, kRelaxed);
  handover->bytes.fetch_add(bytes, kRelaxed);
}

void ForgetHandovers() {
  for (std::atomic<uint32_t>& place : places) place.store(0, kRelaxed);
}

}  // namespace mallocspy::ledger

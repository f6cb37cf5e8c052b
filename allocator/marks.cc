#include "allocator/marks.h"

#include <cstring>

#include "allocator/block_header.h"
#include "allocator/ledger/ledger.h"
#include "allocator/ledger/live_map.h"
#include "allocator/process.h"
#include "allocator/reading_turn.h"
#include "allocator/system/clock.h"
#include "allocator/thread_state.h"

namespace mallocspy {
namespace {

constexpr uint16_t kKeptMarks = UINT16_MAX / 2;
constexpr uint32_t kFreezeLimitMs = 1000;

// Mark 0 is that of inherited blocks from then on, and 1 that of all from before the kept marks.
void Renumber(uintptr_t address, void* context) {
  BlockHeader* header = HeaderOf(reinterpret_cast<void*>(address));
  if (!IsSealed(header)) return;
  const uint16_t dropped = *static_cast<const uint16_t*>(context);
  if (header->mark < g_settings.base_mark) {
    header->mark = 0;
  } else {
    header->mark = header->mark > dropped ? static_cast<uint16_t>(header->mark - dropped) : uint16_t{1};
  }
  Seal(header);
}

// While events are frozen.
void DropOldMarks() {
  uint16_t dropped = static_cast<uint16_t>(g_settings.mark - kKeptMarks);
  ledger::g_live_map.ForEachLive(Renumber, &dropped);
  g_settings.mark = kKeptMarks;
  g_settings.base_mark = 1;
  g_settings.marks_dropped += dropped;
  ledger::g_ledger.header().marks_dropped = g_settings.marks_dropped;
  ledger::g_ledger.header().base_mark = 1;
}

void List(uint64_t number, const char* name) {
  using ledger::TableId;
  const Event event;  // keeps a signal handler's allocation from waiting for the lock that it would interrupt
  if (!event.recording()) return;
  FutexLockHolder hold(ledger::g_ledger.lock());
  const uint32_t index = ledger::g_ledger.Reserve(TableId::kMarks);
  if (index == 0) return;
  ledger::Mark* mark = ledger::g_ledger.At<ledger::Mark>(TableId::kMarks, index);
  mark->number = number;
  mark->began_ns = RealtimeNs();
  mark->live_bytes = ledger::g_ledger.header().live_bytes.load(std::memory_order_relaxed);
  mark->name = ledger::g_ledger.AddString(name, std::strlen(name));
  ledger::g_ledger.Publish(TableId::kMarks, index + 1);
}

}  // namespace

uint64_t BeginMarkFrozen() {
  if (g_settings.mark == UINT16_MAX) DropOldMarks();
  const uint16_t mark = static_cast<uint16_t>(g_settings.mark + 1);
  __atomic_store_n(&g_settings.mark, mark, __ATOMIC_RELEASE);
  return g_settings.marks_dropped + mark;
}

uint64_t BeginMark(const char* name) {
  if (InterruptedEvent() || !EnsureStarted() || CurrentPhase() != Phase::kRunning || !IsRecordedProcess()) return 0;
  const ReadingTurn turn;
  if (CurrentPhase() != Phase::kRunning) return 0;
  // Who is still inside an event may be about to write an old mark, which is then one too young: no harm.
  const bool full = g_settings.mark == UINT16_MAX;
  if (full) FreezeEvents(kFreezeLimitMs);
  const uint64_t number = BeginMarkFrozen();
  if (full) SetPhase(Phase::kRunning);
  if (name != nullptr) List(number, name);
  return number;
}

uint64_t CurrentMark() { return g_settings.marks_dropped + __atomic_load_n(&g_settings.mark, __ATOMIC_ACQUIRE); }

uint32_t HeaderMarkSince(uint64_t mark) {
  const uint64_t dropped = g_settings.marks_dropped;
  const uint64_t since = mark > dropped ? mark - dropped : 0;
  if (since > g_settings.mark) return UINT32_MAX;
  return since > g_settings.base_mark ? static_cast<uint32_t>(since) : g_settings.base_mark;
}

}  // namespace mallocspy

#include "allocator/heap_sweep.h"

#include <atomic>

#include "allocator/heap_errors.h"
#include "allocator/ledger/live_map.h"
#include "allocator/process.h"
#include "allocator/quarantine.h"
#include "allocator/reading_turn.h"
#include "allocator/system/errno_keeper.h"
#include "allocator/thread_state.h"

namespace mallocspy {
namespace {

using ledger::ErrorKind;

constexpr uint32_t kFreezeLimitMs = 1000;
constexpr uint32_t kMostFound = 64;  // of one sweep; the next finds the others

// What a sweep found; one at a time, by the turn.
struct Found {
  Damage damages[kMostFound];
  uint32_t count;
};
constinit Found found = {};

constinit std::atomic<uint64_t> calls{0};

void VisitAll(void (*take)(const Damage& damage)) {
  ledger::g_live_map.ForEachLive(
      [](uintptr_t address, void* context) {
        Damage damage;
        if (FindDamage(reinterpret_cast<const void*>(address), &damage)) reinterpret_cast<void (*)(const Damage&)>(context)(damage);
      },
      reinterpret_cast<void*>(take));
  if (!g_settings.keeps_freed) return;
  g_quarantine.ForEach(
      [](const Quarantine::Kept& kept, void* context) {
        Damage damage;
        if (FindDamage(kept, &damage)) reinterpret_cast<void (*)(const Damage&)>(context)(damage);
      },
      reinterpret_cast<void*>(take));
}

int StatusOf(ErrorKind kind) {
  if (kind == ErrorKind::kHeapUnderflow) return MALLOCSPY_HEAP_BAD_FRONT;
  return kind == ErrorKind::kHeapOverflow ? MALLOCSPY_HEAP_BAD_END : MALLOCSPY_HEAP_WRITTEN_AFTER_FREE;
}

}  // namespace

void CheckAllBlocks() {
  VisitAll([](const Damage& damage) { ReportDamage(damage, nullptr); });
}

int SweepHeap(const DoorFrame* frame) {
  const ErrnoKeeper keeper;
  if (InterruptedEvent() || !EnsureStarted() || !IsRecordedProcess()) return MALLOCSPY_HEAP_UNKNOWN;
  const ReadingTurn turn;
  if (turn.taken_over() || CurrentPhase() != Phase::kRunning) return MALLOCSPY_HEAP_UNKNOWN;
  const bool still = FreezeEvents(kFreezeLimitMs) == 0;
  found.count = 0;
  if (still) {
    VisitAll([](const Damage& damage) {
      if (found.count < kMostFound) found.damages[found.count++] = damage;
    });
  }
  SetPhase(Phase::kRunning);
  if (!still) return MALLOCSPY_HEAP_UNKNOWN;
  if (found.count == 0) return MALLOCSPY_HEAP_OK;
  const Event event;
  if (event.recording()) {
    event.thread()->frame = frame;
    for (uint32_t i = 0; i < found.count; ++i) ReportDamage(found.damages[i], event.thread());
  }
  return StatusOf(found.damages[0].kind);
}

void SweepWhenDue(const DoorFrame* frame) {
  const uint64_t every = g_settings.check_every;
  if (every != 0 && (calls.fetch_add(1, std::memory_order_relaxed) + 1) % every == 0) SweepHeap(frame);
}

}  // namespace mallocspy

#include "allocator/snapshot/live_picture.h"

#include <cerrno>

#include "allocator/ledger/ledger.h"
#include "allocator/ledger/thread_counters.h"
#include "allocator/process.h"
#include "allocator/reading_turn.h"
#include "allocator/snapshot/block_list.h"
#include "allocator/system/clock.h"
#include "allocator/thread_state.h"

namespace mallocspy {

using ledger::g_ledger;

int WorkInLivePicture(const ProgramPoint& self, const PictureTask& task) {
  constexpr uint32_t kFreezeLimitMs = 1000;
  if (InterruptedEvent()) return EDEADLK;
  if (!EnsureStarted() || !IsRecordedProcess()) return ENODATA;
  if ((g_ledger.header().degraded.load(std::memory_order_relaxed) & ledger::kNotInterposed) != 0) return ENOSYS;
  const ReadingTurn turn;
  if (CurrentPhase() != Phase::kRunning) return turn.taken_over() ? EDEADLK : ENODATA;
  FreezeEvents(kFreezeLimitMs);
  return WorkInPicture(self, task) ? 0 : EAGAIN;
}

void CompletePicture(uint64_t next_mark) {
  ledger::Header& header = g_ledger.header();
  header.end.store(ledger::End::kPicture, std::memory_order_relaxed);
  header.ended_ns = RealtimeNs();
  header.next_mark = next_mark;
  header.marks_dropped = g_settings.marks_dropped;
  ledger::CollectLiveBytes();
  SettleCounters();
}

}  // namespace mallocspy

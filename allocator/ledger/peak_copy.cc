#include "allocator/ledger/peak_copy.h"

#include <algorithm>

#include "allocator/ledger/ledger.h"

namespace mallocspy::ledger {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr int64_t kPart = 100;
constexpr int64_t kBytesPerCounters = 8;

PeakCounters* CountersAt(uint32_t stack, uint32_t side) { return &g_ledger.At<Stack>(TableId::kStacks, stack)->peaks[side]; }

// Modulo 2^64: what one thread counts as made another one may count as freed.
void Add(const Counters& counters, PeakCounters* to, uint64_t* events_bytes) {
  const uint64_t allocated = counters.allocated_bytes.load(kRelaxed);
  const uint64_t freed = counters.freed_bytes.load(kRelaxed);
  to->live_blocks += counters.allocations.load(kRelaxed) - counters.frees.load(kRelaxed);
  to->live_bytes += allocated - freed;
  *events_bytes += allocated + freed;
}

void Copy(int64_t peak_bytes) {
  Header& header = g_ledger.header();
  // The other copy stays whole until this one is: the process may be killed at any moment.
  const uint32_t side = header.peak_side.load(kRelaxed) == kFirstPeak ? 1 : 0;
  const uint32_t stacks = g_ledger.Count(TableId::kStacks);
  uint64_t events_bytes = 0;
  for (uint32_t i = 0; i < stacks; ++i) {
    PeakCounters* counters = CountersAt(i, side);
    *counters = {};
    Add(g_ledger.At<Stack>(TableId::kStacks, i)->shared, counters, &events_bytes);
  }
  for (uint32_t i = 1, count = g_ledger.Count(TableId::kCounters); i < count; ++i) {
    const CounterBank* bank = g_ledger.At<CounterBank>(TableId::kCounters, i);
    const uint32_t end = std::min(stacks, bank->first_stack + kStacksPerBank);
    for (uint32_t k = bank->first_stack; k < end; ++k) Add(bank->counters[k - bank->first_stack], CountersAt(k, side), &events_bytes);
  }
  header.peaks[side] = {peak_bytes, events_bytes, stacks, 0};
  header.peak_side.store(side == 0 ? kFirstPeak : kSecondPeak, std::memory_order_release);
}

}  // namespace

void KeepPeakBefore(uint64_t bytes) {
  Header& header = g_ledger.header();
  const int64_t peak = header.peak_bytes.load(kRelaxed);
  const int64_t live = header.live_bytes.load(kRelaxed) - static_cast<int64_t>(bytes);
  if (live > peak - peak / kPart) return;
  const PeakSide before = header.peak_side.load(std::memory_order_acquire);
  if (before != kNoPeak) {
    const int64_t last = header.peaks[before == kFirstPeak ? 0 : 1].bytes;
    const int64_t copied = g_ledger.Count(TableId::kStacks) + int64_t{kStacksPerBank} * g_ledger.Count(TableId::kCounters);
    if (peak <= last + std::max(last / kPart, kBytesPerCounters * copied)) return;
  }
  if (header.peak_turn.exchange(1, std::memory_order_acquire) != 0) return;  // another thread copies
  Copy(peak);
  header.peak_turn.store(0, std::memory_order_release);
}

}  // namespace mallocspy::ledger

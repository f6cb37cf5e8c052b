#include "allocator/ledger/thread_counters.h"

#include <cstring>

#include "allocator/ledger/peak_copy.h"
#include "allocator/system/os_memory.h"

namespace mallocspy::ledger {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

using LiveWatch = void (*)(int64_t live_bytes);
constinit LiveWatch live_watch = nullptr;

// `bytes` more are live; meanwhile there were up to `peak_bytes` more.
void AddLive(int64_t bytes, int64_t peak_bytes) {
  Header& header = g_ledger.header();
  const int64_t before = header.live_bytes.fetch_add(bytes, kRelaxed);
  const int64_t most = before + peak_bytes;
  int64_t peak = header.peak_bytes.load(kRelaxed);
  while (most > peak && !header.peak_bytes.compare_exchange_weak(peak, most, kRelaxed)) {
  }
  if (__builtin_expect(live_watch != nullptr, 0)) live_watch(before + bytes);
}

// What the other threads keep to themselves now. With many of them it is not worth to look at each.
int64_t KeptByOthers(const Thread* record) {
  constexpr uint32_t kMostLookedAt = 16;
  const uint32_t count = g_ledger.Count(TableId::kThreads);
  if (count > kMostLookedAt) return 0;
  int64_t kept = 0;
  for (uint32_t i = 1; i < count; ++i) {
    const Thread* other = g_ledger.At<Thread>(TableId::kThreads, i);
    if (other != record) kept += other->live_bytes.load(kRelaxed);
  }
  return kept;
}

Counters* SharedOf(uint32_t stack) { return &g_ledger.At<Stack>(TableId::kStacks, stack)->shared; }

}  // namespace

void SetLiveWatch(void (*watch)(int64_t live_bytes)) { live_watch = watch; }

void CollectLiveBytesOf(Thread* record) {
  AddLive(record->live_bytes.load(kRelaxed), record->peak_bytes.load(kRelaxed) + KeptByOthers(record));
  record->live_bytes.store(0, kRelaxed);
  record->peak_bytes.store(0, kRelaxed);
}

bool ThreadCounters::AddBank(uint32_t bank) {
  if (record_ == nullptr) return false;
  FutexLockHolder hold(g_ledger.lock());
  if (bank >= bank_count_) {
    uint32_t count = bank_count_ == 0 ? kPageBytes / sizeof(CounterBank*) : bank_count_;
    while (count <= bank) count *= 2;
    CounterBank** grown = static_cast<CounterBank**>(MapPrivate(count * sizeof(CounterBank*)));
    if (grown == nullptr) return false;
    if (bank_count_ != 0) {
      std::memcpy(grown, banks_, bank_count_ * sizeof(CounterBank*));
      Unmap(banks_, bank_count_ * sizeof(CounterBank*));
    }
    banks_ = grown;
    bank_count_ = count;
  }
  const uint32_t index = g_ledger.Reserve(TableId::kCounters);
  if (index == 0) return false;
  CounterBank* added = g_ledger.At<CounterBank>(TableId::kCounters, index);
  added->index = index;
  added->first_stack = bank * kStacksPerBank;
  g_ledger.Publish(TableId::kCounters, index + 1);
  banks_[bank] = added;
  return true;
}

void ThreadCounters::CountFallingFree(Counters* counters, uint64_t bytes) {
  CollectLiveBytesOf(record_);
  KeepPeakBefore(bytes);
  Add(&record_->live_bytes, -static_cast<int64_t>(bytes));
  Add(&counters->frees, uint64_t{1});
  Add(&counters->freed_bytes, bytes);
  CollectLiveBytesOf(record_);
}

void ThreadCounters::Detach() {
  if (record_ != nullptr) CollectLiveBytesOf(record_);
}

void ThreadCounters::AdoptAfterFork() {
  record_ = nullptr;
  for (uint32_t i = 0; i < bank_count_; ++i) {
    if (banks_[i] != nullptr) banks_[i] = g_ledger.At<CounterBank>(TableId::kCounters, banks_[i]->index);
  }
}

void CountAllocationShared(uint32_t stack, uint64_t bytes) {
  Counters* counters = SharedOf(stack);
  counters->allocations.fetch_add(1, kRelaxed);
  counters->allocated_bytes.fetch_add(bytes, kRelaxed);
  AddLive(static_cast<int64_t>(bytes), static_cast<int64_t>(bytes) + KeptByOthers(nullptr));
}

void CountFreeShared(uint32_t stack, uint64_t bytes) {
  Counters* counters = SharedOf(stack);
  counters->frees.fetch_add(1, kRelaxed);
  counters->freed_bytes.fetch_add(bytes, kRelaxed);
  AddLive(-static_cast<int64_t>(bytes), 0);
}

void FoldBanks() {
  const uint32_t stacks = g_ledger.Count(TableId::kStacks);
  for (uint32_t i = 1, count = g_ledger.Count(TableId::kCounters); i < count; ++i) {
    CounterBank* bank = g_ledger.At<CounterBank>(TableId::kCounters, i);
    for (uint32_t k = 0; k < kStacksPerBank && bank->first_stack + k < stacks; ++k) {
      Counters* from = &bank->counters[k];
      Counters* to = SharedOf(bank->first_stack + k);
      to->allocations.fetch_add(from->allocations.exchange(0, kRelaxed), kRelaxed);
      to->allocated_bytes.fetch_add(from->allocated_bytes.exchange(0, kRelaxed), kRelaxed);
      to->frees.fetch_add(from->frees.exchange(0, kRelaxed), kRelaxed);
      to->freed_bytes.fetch_add(from->freed_bytes.exchange(0, kRelaxed), kRelaxed);
    }
  }
}

void CollectLiveBytes() {
  for (uint32_t i = 1, count = g_ledger.Count(TableId::kThreads); i < count; ++i) {
    CollectLiveBytesOf(g_ledger.At<Thread>(TableId::kThreads, i));
  }
}

}  // namespace mallocspy::ledger

// The counters as one thread counts them: in banks of its own, so that an event writes to no cache line that another thread writes to.
//
// Used by one thread at a time, inside its event. A thread state that passes from an ended thread to a new one takes its banks along.
#pragma once

#include <cstdint>

#include "allocator/ledger/ledger.h"

namespace mallocspy::ledger {

// Counters that belong to no thread: from inside another event of the same thread. Any thread, signal-safe.
void CountAllocationShared(uint32_t stack, uint64_t bytes);
void CountFreeShared(uint32_t stack, uint64_t bytes);

// Adds what a thread keeps to itself to the ledger's live bytes. By that thread, or while no event runs.
void CollectLiveBytesOf(Thread* record);

class ThreadCounters {
 public:
  // The thread's record, in which its live bytes wait to be added to the ledger's; null if it has none.
  void Attach(Thread* record) { record_ = record; }

  // The thread ends: what it kept to itself is added.
  void Detach();

  // This thread's counters of a stack, for as long as the process does not fork; null if it can have none.
  Counters* Of(uint32_t stack) {
    if (Counters* counters = Existing(stack); __builtin_expect(counters != nullptr, 1)) return counters;
    return AddBank(stack / kStacksPerBank) ? Existing(stack) : nullptr;
  }
  // Null also if there are none yet.
  Counters* Existing(uint32_t stack) const {
    const uint32_t bank = stack / kStacksPerBank;
    if (__builtin_expect(record_ == nullptr || bank >= bank_count_ || banks_[bank] == nullptr, 0)) return nullptr;
    return &banks_[bank]->counters[stack % kStacksPerBank];
  }

  void CountAllocation(uint32_t stack, uint64_t bytes) {
    Counters* counters = Of(stack);
    if (__builtin_expect(counters == nullptr, 0)) return CountAllocationShared(stack, bytes);
    CountAllocation(counters, bytes);
  }
  void CountFree(uint32_t stack, uint64_t bytes) {
    Counters* counters = Of(stack);
    if (__builtin_expect(counters == nullptr, 0)) return CountFreeShared(stack, bytes);
    CountFree(counters, bytes);
  }

  // `counters` is Of(stack).
  void CountAllocation(Counters* counters, uint64_t bytes) {
    Add(&counters->allocations, uint64_t{1});
    Add(&counters->allocated_bytes, bytes);
    const int64_t live = Add(&record_->live_bytes, static_cast<int64_t>(bytes));
    if (live > record_->peak_bytes.load(std::memory_order_relaxed)) {
      record_->peak_bytes.store(live, std::memory_order_relaxed);
      if (__builtin_expect(live >= kKeptBytes, 0)) CollectLiveBytesOf(record_);
    }
  }
  void CountFree(Counters* counters, uint64_t bytes) {
    const int64_t live = record_->live_bytes.load(std::memory_order_relaxed) - static_cast<int64_t>(bytes);
    if (__builtin_expect(live <= -kKeptBytes, 0)) return CountFallingFree(counters, bytes);
    record_->live_bytes.store(live, std::memory_order_relaxed);
    Add(&counters->frees, uint64_t{1});
    Add(&counters->freed_bytes, bytes);
  }

  // In a forked child that has adopted the ledger: the banks lie elsewhere now.
  void AdoptAfterFork();

 private:
  // Net bytes that a thread keeps to itself. The peak of one thread is exact for any, and so is that of threads that take turns; of N
  // threads at a time it is off by less than N times this.
  static constexpr int64_t kKeptBytes = 4096;

  // By the only writer; the sum.
  template <typename Number>
  static Number Add(std::atomic<Number>* counter, Number amount) {
    const Number sum = counter->load(std::memory_order_relaxed) + amount;
    counter->store(sum, std::memory_order_relaxed);
    return sum;
  }

  bool AddBank(uint32_t bank);
  // By which the thread's live bytes fall so far that they are added to the ledger's; the peak is kept before.
  void CountFallingFree(Counters* counters, uint64_t bytes);

  CounterBank** banks_;  // by stack / kStacksPerBank
  uint32_t bank_count_;
  Thread* record_;
};

// Adds what threads have in their banks to the shared counters, which alone tell everything then. While no event runs.
void FoldBanks();

// Calls watch() with the header's live bytes whenever these have changed, inside an event; null: nobody. Before there are other threads.
void SetLiveWatch(void (*watch)(int64_t live_bytes));

// Adds what threads keep to themselves to the ledger's live bytes. While no event runs.
void CollectLiveBytes();

}  // namespace mallocspy::ledger

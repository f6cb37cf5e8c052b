// The counters as one thread counts them: in banks of its own, so that an event writes to no cache line that another thread writes to.
//
// Used by one thread at a time, inside its event. A thread state that passes from an ended thread to a new one takes its banks along.
#pragma once

#include <cstdint>

#include "allocator/ledger/ledger.h"

namespace mallocspy::ledger {

class ThreadCounters {
 public:
  // The thread's record, in which its live bytes wait to be added to the ledger's; null if it has none.
  void Attach(Thread* record) { record_ = record; }

  // The thread ends: what it kept to itself is added.
  void Detach();

  void CountAllocation(uint32_t stack, uint64_t bytes);
  void CountFree(uint32_t stack, uint64_t bytes);

  // In a forked child that has adopted the ledger: the banks lie elsewhere now.
  void AdoptAfterFork();

 private:
  // Net bytes that a thread keeps to itself. The peak of one thread is exact for any, and so is that of threads that take turns; of N
  // threads at a time it is off by less than N times this.
  static constexpr int64_t kKeptBytes = 4096;

  Counters* Find(uint32_t stack) {
    const uint32_t bank = stack / kStacksPerBank;
    if (__builtin_expect(bank < bank_count_ && banks_[bank] != nullptr, 1)) return &banks_[bank]->counters[stack % kStacksPerBank];
    return AddBank(bank) ? &banks_[bank]->counters[stack % kStacksPerBank] : nullptr;
  }
  bool AddBank(uint32_t bank);

  CounterBank** banks_;  // by stack / kStacksPerBank
  uint32_t bank_count_;
  Thread* record_;
};

// Counters that belong to no thread: from inside another event of the same thread. Any thread, signal-safe.
void CountAllocationShared(uint32_t stack, uint64_t bytes);
void CountFreeShared(uint32_t stack, uint64_t bytes);

// Adds what threads have in their banks to the shared counters, which alone tell everything then. While no event runs.
void FoldBanks();

// Adds what threads keep to themselves to the ledger's live bytes. While no event runs.
void CollectLiveBytes();

}  // namespace mallocspy::ledger

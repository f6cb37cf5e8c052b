// The errors that the record of this process holds, and its counters, for comparison.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "allocator/ledger/ledger.h"

namespace mallocspy {

struct RecordedError {
  ledger::ErrorKind kind;
  Door made;
  Door used;
  uint64_t address;
  uint64_t size;
  uint64_t value;
  uint64_t count;
  std::string detail;
};

inline std::vector<RecordedError> RecordedErrors() {
  std::vector<RecordedError> errors;
  for (uint32_t i = 1; i < ledger::g_ledger.Count(ledger::TableId::kErrors); ++i) {
    const ledger::Error* error = ledger::g_ledger.At<ledger::Error>(ledger::TableId::kErrors, i);
    std::string detail;
    if (error->detail.length != 0) {
      detail.assign(ledger::g_ledger.At<char>(ledger::TableId::kStrings, error->detail.offset), error->detail.length);
    }
    errors.push_back({static_cast<ledger::ErrorKind>(error->kind), static_cast<Door>(error->block_door),
                      static_cast<Door>(error->used_door), error->address, error->size, error->value, error->count.load(),
                      detail});
  }
  return errors;
}

// The sums over all stacks.
struct Counters {
  uint64_t allocations = 0;
  uint64_t allocated_bytes = 0;
  uint64_t frees = 0;
  uint64_t freed_bytes = 0;
  bool operator==(const Counters&) const = default;
};

inline void AddTo(Counters* sum, const ledger::Counters& counters) {
  sum->allocations += counters.allocations;
  sum->allocated_bytes += counters.allocated_bytes;
  sum->frees += counters.frees;
  sum->freed_bytes += counters.freed_bytes;
}

inline Counters CountersOf(uint32_t stack) {
  Counters sum;
  AddTo(&sum, ledger::g_ledger.At<ledger::Stack>(ledger::TableId::kStacks, stack)->shared);
  for (uint32_t i = 1; i < ledger::g_ledger.Count(ledger::TableId::kCounters); ++i) {
    const ledger::CounterBank* bank = ledger::g_ledger.At<ledger::CounterBank>(ledger::TableId::kCounters, i);
    if (bank->first_stack == stack / ledger::kStacksPerBank * ledger::kStacksPerBank) {
      AddTo(&sum, bank->counters[stack % ledger::kStacksPerBank]);
    }
  }
  return sum;
}

// With what threads have not yet added to the ledger's.
inline int64_t LiveBytes() {
  int64_t live = ledger::g_ledger.header().live_bytes;
  for (uint32_t i = 1; i < ledger::g_ledger.Count(ledger::TableId::kThreads); ++i) {
    live += ledger::g_ledger.At<ledger::Thread>(ledger::TableId::kThreads, i)->live_bytes;
  }
  return live;
}

inline Counters AllCounters() {
  Counters sum;
  for (uint32_t i = 0; i < ledger::g_ledger.Count(ledger::TableId::kStacks); ++i) {
    const Counters one = CountersOf(i);
    sum.allocations += one.allocations;
    sum.allocated_bytes += one.allocated_bytes;
    sum.frees += one.frees;
    sum.freed_bytes += one.freed_bytes;
  }
  return sum;
}

}  // namespace mallocspy

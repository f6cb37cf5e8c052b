// Errors of the program that were met while it ran. Equal ones (kind and places) share a record and add to its count.
#pragma once

#include <cstdint>

#include "allocator/ledger/ledger.h"

namespace mallocspy::ledger {

// What the detector knows; places are stack nodes, 0 where not known.
struct ErrorReport {
  ErrorKind kind;
  Door block_door = Door::kNone;
  Door used_door = Door::kNone;
  uint64_t address = 0;
  uint64_t size = 0;
  uint64_t value = 0;
  uint32_t where = 0;
  uint32_t allocated = 0;
  uint32_t freed = 0;
  uint32_t tid = 0;
  const char* detail = nullptr;
};

// Any thread; not while the ledger's lock is held.
void AddError(const ErrorReport& report);

}  // namespace mallocspy::ledger

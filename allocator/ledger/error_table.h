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
  bool trapped = false;   // by the instruction that erred
  bool by_sweep = false;  // the block stays as it is, and the next sweep, its free or the end will see the same
};

// True if there was none like it. What a sweep found of a block is known until its block ends; then it is not counted again. Any thread;
// not while the ledger's lock is held.
// `index`, if given, gets the error's number, 0 if there is no room for it.
bool AddError(const ErrorReport& report, uint32_t* index = nullptr);

}  // namespace mallocspy::ledger

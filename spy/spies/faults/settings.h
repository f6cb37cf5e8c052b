// The fault spy's arguments.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "spy/spies/system.h"

namespace mallocspy::spies::faults {

inline constexpr size_t kMostNames = 16;
inline constexpr size_t kNameBytes = 256;  // with its NUL

struct Settings {
  // Which calls are candidates.
  uint64_t above = 0;       // only requests of more bytes
  uint64_t after_mark = 0;  // only once the program has begun this mark
  char names[kMostNames][kNameBytes] = {};  // of functions and modules
  size_t name_count = 0;
  uint32_t within = 0;   // bit i: a candidate's stack has names[i] on it, or another such one
  uint32_t outside = 0;  // bit i: it has not
  uint64_t stack = 0;    // only this one, by its key; 0: any
  bool children = true;  // of forked children, too

  // Which of the candidates fail.
  uint64_t nth = 0;
  uint64_t every = 0;
  bool random = false;
  uint64_t probability = 0;  // if random, in 2^-53
  bool first_of_each_stack = false;
  uint64_t seed = 1;
  uint64_t limit = UINT64_MAX;  // at most so many

  char stacks_in[system::kPathBytes] = {};  // only stacks whose keys stand in this file; "": any
  char fork[system::kPathBytes] = {};  // where forked trials are told; "": none are made
  uint64_t seconds = 10;               // that a forked child has

  char list[system::kPathBytes] = {};  // where the stacks of candidates are listed; "": nowhere
};

// Sets what `args` names. False if it cannot be used, after a line on standard error.
bool ParseSettings(const char* args, Settings* settings);

}  // namespace mallocspy::spies::faults

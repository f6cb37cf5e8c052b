// The trace spy's arguments.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "spy/spies/system.h"

namespace mallocspy::spies::trace {

struct Settings {
  char file[system::kPathBytes] = "mallocspy-trace.%p.log";  // %p is the process id
  uint64_t limit_bytes = uint64_t{64} << 20;
  size_t buffer_bytes = size_t{16} << 10;
  bool json = false;
};

// Sets what `args` names. False if it names anything unknown, after a line on standard error.
bool ParseSettings(const char* args, Settings* settings);

}  // namespace mallocspy::spies::trace

// One object as the loader describes it, copied out while the loader's lock was held.
#pragma once

#include <link.h>

#include <cstddef>
#include <cstdint>

namespace mallocspy::ledger {

struct LoadedModule {
  uintptr_t start;  // lowest and one past the highest mapped address
  uintptr_t end;
  uintptr_t bias;
  uint32_t path_bytes;
  uint32_t build_id_bytes;
  uint32_t code_ranges;  // executable segments, in `code`
  bool is_executable;
  struct {
    uintptr_t start;
    uintptr_t end;
  } code[4];
  uint8_t build_id[32];
  char path[4096];
};

// Reads `info` (under the loader's lock, from dl_iterate_phdr) into `module`; false for an object without code. The name of the
// main program is left empty.
bool ReadLoadedModule(const dl_phdr_info& info, LoadedModule* module);

}  // namespace mallocspy::ledger

// The test's own program as a module of a snapshot: its symbols are known.
#pragma once

#include <gtest/gtest.h>
#include <link.h>
#include <unistd.h>

#include <climits>
#include <cstdint>

#include "tools/reader/snapshot.h"

namespace mallocspy {

inline uint64_t LoadBias() {
  uint64_t bias = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* program, size_t, void* out) {
        *static_cast<uint64_t*>(out) = program->dlpi_addr;
        return 1;
      },
      &bias);
  return bias;
}

// Adds it, with what lies near `variable`; its index.
inline uint32_t AddThisProgram(Snapshot* snapshot, const void* variable) {
  char path[PATH_MAX] = {};
  EXPECT_GT(readlink("/proc/self/exe", path, sizeof(path) - 1), 0);
  SnapshotModule& module = snapshot->modules.emplace_back();
  module.path = path;
  module.bias = LoadBias();
  module.start = reinterpret_cast<uint64_t>(variable) & ~uint64_t{0xffff};
  module.end = module.start + 0x20000;
  return static_cast<uint32_t>(snapshot->modules.size() - 1);
}

}  // namespace mallocspy

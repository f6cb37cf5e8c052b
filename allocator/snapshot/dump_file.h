// A dump that the process itself writes to a file: the file is there whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/snapshot/roots.h"

namespace mallocspy {

inline constexpr size_t kDumpPathBytes = 4096;

// `pattern` with %p as the process id and %n as `number`; false if that is too long.
bool DumpPath(const char* pattern, size_t pattern_size, uint64_t number, char (&path)[kDumpPathBytes]);

// Writes it and waits until that is done; 0 or an errno value.
int DumpToFile(const ProgramPoint& self, const char* path);

// Begins to write it, and goes on; if that fails, a line on standard error says so. `removed` (may be empty) is unlinked when it is
// written. `writing` is in memory that copies share: until it is written, the process that writes it. 0 or an errno value.
int BeginDumpToFile(const ProgramPoint& self, const char* path, const char* removed, uint32_t* writing);

}  // namespace mallocspy

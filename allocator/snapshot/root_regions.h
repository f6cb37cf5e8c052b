// Memory that the program registered as holding pointers. Any thread, not from signal handlers.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mallocspy {

// False without memory for it.
bool AddRootRegion(uintptr_t start, size_t bytes);
// False if there is none with these values.
bool RemoveRootRegion(uintptr_t start, size_t bytes);
// In a copy of the process, or while nothing else runs.
void ForEachRootRegion(void (*visit)(uintptr_t start, uintptr_t end, void* context), void* context);

}  // namespace mallocspy

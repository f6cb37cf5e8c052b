// Which memory is the recorder's own: what it mapped for itself. Marking must not take it for the program's.
//
// Lock-free; any thread, any signal handler.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mallocspy {

// Ranges are taken out whole, as they were put in.
void AddOwnMemory(uintptr_t start, uintptr_t end);
void RemoveOwnMemory(uintptr_t start);

// Whether every range found room.
bool KnowsAllOwnMemory();

void ForEachOwnMemory(void (*visit)(uintptr_t start, uintptr_t end, void* context), void* context);

}  // namespace mallocspy

// Memory from the operating system, for the record's own use. Nothing here touches a heap, errno or a lock; every call
// is safe in any thread, in a signal handler and before the first constructor.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mallocspy {

inline constexpr size_t kPageBytes = 4096;

constexpr uint64_t RoundUp(uint64_t value, uint64_t power_of_two) {
  return (value + power_of_two - 1) & ~(power_of_two - 1);
}

// Zeroed private memory, reserved lazily; nullptr when there is none. `bytes` is rounded up to pages.
void* MapPrivate(size_t bytes);
// The same for memory that will soon be written nearly whole: its pages are there.
void* MapPopulated(size_t bytes);
// Zeroed memory that copies of the process share with it.
void* MapShared(size_t bytes);
void Unmap(void* memory, size_t bytes);

// Has the kernel make writable pages there at once, which costs a fraction of as many page faults. False if it has none, as on a full
// file system (where a write would raise SIGBUS) or outside of what is mapped. Linux before 5.14 does not know how and says true.
// `memory` is the start of a page.
bool Populate(void* memory, size_t bytes);

}  // namespace mallocspy

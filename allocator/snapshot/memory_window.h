// Reads memory from low addresses to high ones through the kernel, a stretch at a time.
//
// In a copy of the process the first touch of each page may cost a fault: the processor's, or a hypervisor's that keeps page tables of its
// own, and then microseconds. The kernel, which has all memory mapped already, copies 16 pages in the time of one such fault.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mallocspy {

class MemoryWindow {
 public:
  // How much can be had at once.
  static constexpr size_t kMostBytes = 16 * 1024;

  constexpr MemoryWindow() = default;
  ~MemoryWindow();
  MemoryWindow(const MemoryWindow&) = delete;
  MemoryWindow& operator=(const MemoryWindow&) = delete;

  // Until then, and where the kernel refuses, memory is read where it is. A copy of the process opens its own.
  void Open();

  // What is at [address, address + bytes), which must be readable; good until the next call.
  const unsigned char* At(uintptr_t address, size_t bytes) {
    if (address - start_ <= filled_ && bytes <= filled_ - (address - start_)) return buffer_ + (address - start_);
    return Move(address, bytes);
  }

 private:
  static constexpr size_t kWindowBytes = 64 * 1024;
  const unsigned char* Move(uintptr_t address, size_t bytes);

  long memory_ = -1;
  unsigned char* buffer_ = nullptr;
  uintptr_t start_ = 0;
  size_t filled_ = 0;
};

}  // namespace mallocspy

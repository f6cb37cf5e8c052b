#include "allocator/snapshot/memory_window.h"

#include <fcntl.h>

#include "allocator/system/os_memory.h"
#include "allocator/system/raw_syscall.h"

namespace mallocspy {

MemoryWindow::~MemoryWindow() {
  if (memory_ >= 0) RawSyscall(SYS_close, memory_);
  if (buffer_ != nullptr) Unmap(buffer_, kWindowBytes);
}

void MemoryWindow::Open() {
  if (buffer_ == nullptr) buffer_ = static_cast<unsigned char*>(MapPrivate(kWindowBytes));
  // Not process_vm_readv(): it would make copies of all pages that two processes share.
  if (buffer_ != nullptr && memory_ < 0) memory_ = RawSyscall(SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDONLY | O_CLOEXEC);
}

const unsigned char* MemoryWindow::Move(uintptr_t address, size_t bytes) {
  filled_ = 0;
  if (memory_ >= 0 && bytes <= kMostBytes) {
    const uintptr_t start = address & ~(kPageBytes - 1);
    const long got = RawSyscall(SYS_pread64, memory_, buffer_, kWindowBytes, start);
    if (!RawFailed(got) && static_cast<size_t>(got) >= address - start + bytes) {
      start_ = start;
      filled_ = static_cast<size_t>(got);
      return buffer_ + (address - start);
    }
  }
  return reinterpret_cast<const unsigned char*>(address);
}

}  // namespace mallocspy

#include "allocator/system/os_memory.h"

#include <sys/mman.h>

#include "allocator/system/raw_syscall.h"

namespace mallocspy {

void* MapPrivate(size_t bytes) {
  const long result = RawSyscall(SYS_mmap, 0, RoundUp(bytes, kPageBytes), PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return RawFailed(result) ? nullptr : reinterpret_cast<void*>(result);
}

void Unmap(void* memory, size_t bytes) { RawSyscall(SYS_munmap, memory, RoundUp(bytes, kPageBytes)); }

}  // namespace mallocspy

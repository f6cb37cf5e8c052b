#include "allocator/system/os_memory.h"

#include <sys/mman.h>

#include "allocator/system/raw_syscall.h"

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace mallocspy {
namespace {

// ThreadSanitizer does not see these system calls and would take memory that comes back for what it was before.
#if defined(__SANITIZE_THREAD__)
constinit char mappings = 0;
void BeforeUnmap() { __tsan_release(&mappings); }
void AfterMap() { __tsan_acquire(&mappings); }
#else
void BeforeUnmap() {}
void AfterMap() {}
#endif

}  // namespace

void* MapPrivate(size_t bytes) {
  const long result = RawSyscall(SYS_mmap, 0, RoundUp(bytes, kPageBytes), PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (RawFailed(result)) return nullptr;
  AfterMap();
  return reinterpret_cast<void*>(result);
}

void Unmap(void* memory, size_t bytes) {
  BeforeUnmap();
  RawSyscall(SYS_munmap, memory, RoundUp(bytes, kPageBytes));
}

}  // namespace mallocspy

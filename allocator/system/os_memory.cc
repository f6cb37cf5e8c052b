#include "allocator/system/os_memory.h"

#include <sys/mman.h>

#include <cerrno>

#include "allocator/system/own_memory.h"
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

constexpr int kPopulateWrite = 23;  // MADV_POPULATE_WRITE, Linux 5.14

void* Map(size_t bytes, int flags) {
  const long result = RawSyscall(SYS_mmap, 0, RoundUp(bytes, kPageBytes), PROT_READ | PROT_WRITE,
                                 MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
  if (RawFailed(result)) return nullptr;
  AfterMap();
  AddOwnMemory(static_cast<uintptr_t>(result), static_cast<uintptr_t>(result) + RoundUp(bytes, kPageBytes));
  return reinterpret_cast<void*>(result);
}

}  // namespace

void* MapPrivate(size_t bytes) { return Map(bytes, MAP_PRIVATE); }
void* MapPopulated(size_t bytes) { return Map(bytes, MAP_PRIVATE | MAP_POPULATE); }
void* MapShared(size_t bytes) { return Map(bytes, MAP_SHARED); }

bool Populate(void* memory, size_t bytes) {
  const long result = RawSyscall(SYS_madvise, memory, RoundUp(bytes, kPageBytes), kPopulateWrite);
  return !RawFailed(result) || result == -EINVAL;
}

void Unmap(void* memory, size_t bytes) {
  BeforeUnmap();
  RemoveOwnMemory(reinterpret_cast<uintptr_t>(memory));
  RawSyscall(SYS_munmap, memory, RoundUp(bytes, kPageBytes));
}

}  // namespace mallocspy

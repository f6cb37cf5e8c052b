#include "allocator/ledger/ledger_memory.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "allocator/system/decimal.h"
#include "allocator/system/file_size_limit.h"
#include "allocator/system/os_memory.h"
#include "allocator/system/raw_syscall.h"

namespace mallocspy::ledger {
namespace {

// The sparse size of a shared ledger: never reached, costs nothing.
constexpr uint64_t kSparseBytes = uint64_t{1} << 40;
constexpr int kMaxImages = 1 << 20;

uint64_t LargestFile() {
  const uint64_t limit = FileSizeLimit();
  return limit < kSparseBytes ? limit & ~(kPageBytes - 1) : kSparseBytes;
}

// The new file's descriptor, or a negated errno.
long CreateFile(const char* directory, uint32_t pid, char* path, size_t capacity) {
  const size_t length = std::strlen(directory);
  if (length + 40 > capacity) return -ENAMETOOLONG;
  std::memcpy(path, directory, length);
  char* at = path + length;
  *at++ = '/';
  at = AppendDecimal(at, pid);
  *at++ = '.';
  for (uint32_t image = 0; image < kMaxImages; ++image) {
    std::memcpy(AppendDecimal(at, image), ".mspy", 6);
    const long fd = RawSyscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd != -EEXIST) return fd;
  }
  return -EEXIST;
}

}  // namespace

bool LedgerMemory::CreateShared(const char* directory, uint32_t pid, size_t bytes, size_t spare_bytes) {
  bytes = RoundUp(bytes, kPageBytes);
  const size_t whole_bytes = bytes + spare_bytes;
  char path[4096];
  const uint64_t largest = LargestFile();
  if (largest < whole_bytes) return false;
  const long fd = CreateFile(directory, pid, path, sizeof(path));
  if (RawFailed(fd)) return false;
  long map = RawSyscall(SYS_ftruncate, fd, largest);
  if (!RawFailed(map)) map = RawSyscall(SYS_mmap, 0, whole_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  RawSyscall(SYS_close, fd);
  if (!RawFailed(map) && !Populate(reinterpret_cast<void*>(map), whole_bytes)) {
    Unmap(reinterpret_cast<void*>(map), whole_bytes);
    map = -ENOSPC;
  }
  if (RawFailed(map)) {
    RawSyscall(SYS_unlinkat, AT_FDCWD, path, 0);
    return false;
  }
  base_ = reinterpret_cast<void*>(map);
  if (spare_bytes != 0) Unmap(static_cast<unsigned char*>(base_) + bytes, spare_bytes);  // its pages stay in the file
  last_page_ = static_cast<unsigned char*>(base_) + bytes - kPageBytes;
  used_bytes_ = bytes;
  shared_ = true;
  return true;
}

bool LedgerMemory::CreatePrivate(size_t bytes) {
  bytes = RoundUp(bytes, kPageBytes);
  base_ = MapPrivate(bytes);
  used_bytes_ = bytes;
  shared_ = false;
  return base_ != nullptr;
}

void* LedgerMemory::Extend(size_t bytes, uint64_t* offset) {
  bytes = RoundUp(bytes, kPageBytes);
  unsigned char* memory;
  if (shared_) {
    const long map = RawSyscall(SYS_mremap, last_page_, 0, kPageBytes + bytes, MREMAP_MAYMOVE);
    if (RawFailed(map)) return nullptr;
    memory = reinterpret_cast<unsigned char*>(map) + kPageBytes;
    if (!Populate(memory, bytes)) {
      Unmap(reinterpret_cast<void*>(map), kPageBytes + bytes);
      return nullptr;
    }
    last_page_ = memory + bytes - kPageBytes;
  } else {
    memory = static_cast<unsigned char*>(MapPrivate(bytes));
    if (memory == nullptr) return nullptr;
  }
  *offset = used_bytes_;
  used_bytes_ += bytes;
  return memory;
}

}  // namespace mallocspy::ledger

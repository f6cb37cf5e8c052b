#include "allocator/ledger/ledger_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "allocator/ledger/format.h"
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

// Programs take descriptors from below, and close those up to a limit of their own, if any.
long HighDescriptor() {
  constexpr uint64_t kHighest = 1024;  // what select(2) can name; a table of descriptors grows with the highest
  constexpr uint64_t kBelow = 32;
  rlimit limit = {};
  RawSyscall(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit);
  const uint64_t end = limit.rlim_cur < kHighest ? limit.rlim_cur : kHighest;
  return end > 2 * kBelow ? static_cast<long>(end - kBelow) : 3;
}

}  // namespace

// Makes it large and maps its beginning; closes nothing.
bool LedgerMemory::MapFile(long fd, size_t bytes, size_t spare_bytes) {
  const size_t whole_bytes = bytes + spare_bytes;
  const uint64_t largest = LargestFile();
  if (largest < whole_bytes || RawFailed(RawSyscall(SYS_ftruncate, fd, largest))) return false;
  const long map = RawSyscall(SYS_mmap, 0, whole_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (RawFailed(map)) return false;
  if (!Populate(reinterpret_cast<void*>(map), whole_bytes)) {
    Unmap(reinterpret_cast<void*>(map), whole_bytes);
    return false;
  }
  base_ = reinterpret_cast<void*>(map);
  if (spare_bytes != 0) Unmap(static_cast<unsigned char*>(base_) + bytes, spare_bytes);  // its pages stay in the file
  last_page_ = static_cast<unsigned char*>(base_) + bytes - kPageBytes;
  used_bytes_ = bytes;
  shared_ = true;
  return true;
}

bool LedgerMemory::CreateNamed(const char* directory, uint32_t pid, size_t bytes, size_t spare_bytes) {
  bytes = RoundUp(bytes, kPageBytes);
  char path[4096];
  if (LargestFile() < bytes + spare_bytes) return false;
  const long fd = CreateFile(directory, pid, path, sizeof(path));
  if (RawFailed(fd)) return false;
  const bool mapped = MapFile(fd, bytes, spare_bytes);
  RawSyscall(SYS_close, fd);
  if (!mapped) RawSyscall(SYS_unlinkat, AT_FDCWD, path, 0);
  return mapped;
}

bool LedgerMemory::CreateAnonymous(size_t bytes, size_t spare_bytes) {
  bytes = RoundUp(bytes, kPageBytes);
  if (LargestFile() < kSparseBytes) return false;  // private memory has no such limit
  const long low = RawSyscall(SYS_memfd_create, kAnonymousName, MFD_CLOEXEC);
  if (RawFailed(low)) return false;
  const long high = RawSyscall(SYS_fcntl, low, F_DUPFD_CLOEXEC, HighDescriptor());
  const long fd = RawFailed(high) ? low : high;
  if (fd != low) RawSyscall(SYS_close, low);
  struct stat file = {};
  if (!MapFile(fd, bytes, spare_bytes) || RawFailed(RawSyscall(SYS_fstat, fd, &file))) {
    RawSyscall(SYS_close, fd);
    return false;
  }
  descriptor_ = static_cast<int>(fd);
  inode_ = file.st_ino;
  anonymous_ = true;
  return true;
}

void LedgerMemory::CloseDescriptor() {
  struct stat file = {};
  if (descriptor_ < 0 || RawFailed(RawSyscall(SYS_fstat, descriptor_, &file))) return;
  if (file.st_ino == inode_ && file.st_nlink == 0) RawSyscall(SYS_close, descriptor_);
  descriptor_ = -1;
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
    if (!anonymous_ && !Populate(memory, bytes)) {  // a file system may be full
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

#include "allocator/snapshot/memory_map.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "allocator/system/os_memory.h"
#include "allocator/system/raw_syscall.h"

namespace mallocspy {
namespace {

uintptr_t ReadHex(const char** at) {
  uintptr_t value = 0;
  for (;; ++*at) {
    const char c = **at;
    if (c >= '0' && c <= '9') {
      value = value << 4 | static_cast<uintptr_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value = value << 4 | static_cast<uintptr_t>(c - 'a' + 10);
    } else {
      return value;
    }
  }
}

void SkipField(const char** at) {
  while (**at != ' ' && **at != '\0') ++*at;
  while (**at == ' ') ++*at;
}

bool StartsWith(const char* text, const char* start) { return std::strncmp(text, start, std::strlen(start)) == 0; }

// proc(5): "start-end rwxp offset device inode   name"; `line` ends with NUL.
Mapping Parse(const char* line) {
  Mapping mapping = {};
  const char* at = line;
  mapping.start = ReadHex(&at);
  if (*at == '-') ++at;
  mapping.end = ReadHex(&at);
  if (*at == ' ') ++at;
  if (std::strlen(at) >= 4) {
    mapping.readable = at[0] == 'r';
    mapping.writable = at[1] == 'w';
    mapping.executable = at[2] == 'x';
    mapping.shared = at[3] == 's';
  }
  SkipField(&at);  // permissions
  SkipField(&at);  // offset
  SkipField(&at);  // device
  const bool has_file = *at != '0';
  SkipField(&at);  // inode
  if (*at == '\0' || StartsWith(at, "[anon") || StartsWith(at, "/dev/zero") || StartsWith(at, "/memfd:") || StartsWith(at, "/SYSV")) {
    mapping.kind = Mapping::kAnonymous;
  } else if (StartsWith(at, "[heap]")) {
    mapping.kind = Mapping::kHeap;
  } else if (StartsWith(at, "[stack]")) {
    mapping.kind = Mapping::kStack;
  } else if (has_file && !StartsWith(at, "/dev/")) {
    mapping.kind = Mapping::kFile;
  } else {
    mapping.kind = StartsWith(at, "/dev/shm/") ? Mapping::kFile : Mapping::kSpecial;
  }
  return mapping;
}

}  // namespace

MemoryMap::~MemoryMap() {
  if (list_ != nullptr) Unmap(list_, kCapacity * sizeof(Mapping));
  if (buffer_ != nullptr) Unmap(buffer_, kBufferBytes);
}

bool MemoryMap::Add(const Mapping& mapping) {
  if (size_ == kCapacity) return false;
  list_[size_++] = mapping;
  return true;
}

bool MemoryMap::Read() {
  size_ = 0;
  if (list_ == nullptr) list_ = static_cast<Mapping*>(MapPrivate(kCapacity * sizeof(Mapping)));
  if (buffer_ == nullptr) buffer_ = static_cast<char*>(MapPrivate(kBufferBytes));
  char* const buffer = buffer_;
  if (list_ == nullptr || buffer == nullptr) return false;
  const long fd = RawSyscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (RawFailed(fd)) return false;
  size_t filled = 0;
  bool good = true;
  while (good) {
    const long got = RawSyscall(SYS_read, fd, buffer + filled, kBufferBytes - 1 - filled);
    if (got == -EINTR) continue;
    if (got <= 0) {
      good = got == 0;
      break;
    }
    filled += static_cast<size_t>(got);
    size_t line = 0;
    for (;;) {
      char* newline = static_cast<char*>(std::memchr(buffer + line, '\n', filled - line));
      if (newline == nullptr) break;
      *newline = '\0';
      const Mapping mapping = Parse(buffer + line);
      // The kernel may tell of a mapping twice when others change meanwhile.
      if (mapping.end > mapping.start && (size_ == 0 || mapping.start >= list_[size_ - 1].end)) good = good && Add(mapping);
      line = static_cast<size_t>(newline - buffer) + 1;
    }
    std::memmove(buffer, buffer + line, filled - line);
    filled -= line;
    if (filled == kBufferBytes - 1) good = false;  // no line is that long
  }
  RawSyscall(SYS_close, fd);
  if (!good) size_ = 0;
  return good;
}

const Mapping* MemoryMap::Find(uintptr_t address) const {
  size_t low = 0;
  size_t high = size_;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (list_[middle].end <= address) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < size_ && list_[low].start <= address ? &list_[low] : nullptr;
}

}  // namespace mallocspy

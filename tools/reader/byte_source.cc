#include "tools/reader/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace mallocspy {

bool MemorySource::Read(uint64_t offset, void* to, size_t bytes) const {
  if (offset > bytes_.size() || bytes > bytes_.size() - offset) return false;
  if (bytes != 0) std::memcpy(to, bytes_.data() + offset, bytes);
  return true;
}

absl::StatusOr<std::unique_ptr<FileSource>> FileSource::Open(const std::string& path) {
  // Not blocking, so that a FIFO is an error and not a wait.
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  }
  struct stat file;
  if (fstat(descriptor, &file) != 0 || !S_ISREG(file.st_mode)) {
    close(descriptor);
    return absl::InvalidArgumentError(absl::StrCat(path, " is not a regular file; a snapshot (*.mspy) is"));
  }
  return std::unique_ptr<FileSource>(new FileSource(descriptor, static_cast<uint64_t>(file.st_size)));
}

FileSource::~FileSource() { close(descriptor_); }

bool FileSource::Read(uint64_t offset, void* to, size_t bytes) const {
  if (offset > size_ || bytes > size_ - offset) return false;
  auto* next = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t got = pread(descriptor_, next, bytes, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    next += got;
    offset += static_cast<uint64_t>(got);
    bytes -= static_cast<size_t>(got);
  }
  return true;
}

uint64_t FileSource::NextData(uint64_t offset) const {
  const off_t data = lseek(descriptor_, static_cast<off_t>(offset), SEEK_DATA);
  if (data >= 0) return static_cast<uint64_t>(data);
  // A file system without holes knows no such question.
  return errno == ENXIO ? size_ : offset;
}

}  // namespace mallocspy

#include "tools/run/whole_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace mallocspy {

absl::StatusOr<std::unique_ptr<WholeFile>> WholeFile::Create(const std::string& path) {
  struct stat old;
  if (lstat(path.c_str(), &old) == 0 && !S_ISREG(old.st_mode)) {
    return absl::AlreadyExistsError("there is something of that name which is no regular file");
  }
  const std::string temporary = absl::StrCat(path, ".", getpid(), ".part");
  const int descriptor = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, "open");
  return std::unique_ptr<WholeFile>(new WholeFile(path, temporary, descriptor));
}

WholeFile::~WholeFile() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  unlink(temporary_.c_str());
}

absl::Status WholeFile::Write(const void* data, size_t size, uint64_t offset) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t done = pwrite(descriptor_, at, size, static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return absl::ErrnoToStatus(done < 0 ? errno : ENOSPC, "write");
    at += done;
    size -= static_cast<size_t>(done);
    offset += static_cast<uint64_t>(done);
  }
  return absl::OkStatus();
}

absl::Status WholeFile::Commit() {
  const int descriptor = descriptor_;
  descriptor_ = -1;
  absl::Status status;
  if (close(descriptor) != 0) status = absl::ErrnoToStatus(errno, "close");
  if (status.ok() && rename(temporary_.c_str(), path_.c_str()) != 0) status = absl::ErrnoToStatus(errno, "rename");
  if (!status.ok()) unlink(temporary_.c_str());
  return status;
}

}  // namespace mallocspy

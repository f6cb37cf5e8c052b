#include "tools/report/report_sink.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace mallocspy {
namespace {

// The descriptor that `path` names, or -1.
int NamedDescriptor(absl::string_view path) {
  if (path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  int descriptor;
  for (const absl::string_view prefix : {"/dev/fd/", "/proc/self/fd/"}) {
    absl::string_view rest = path;
    if (absl::ConsumePrefix(&rest, prefix) && absl::SimpleAtoi(rest, &descriptor)) return descriptor;
  }
  return -1;
}

// A link to a file of somebody else's choice would let him choose which of our files is overwritten.
bool MayFollow(const struct stat& link) { return link.st_uid == geteuid() || link.st_uid == 0; }

int OpenReportFile(const std::string& path) {
  constexpr int kFlags = O_WRONLY | O_CLOEXEC | O_NOCTTY;
  struct stat file;
  if (lstat(path.c_str(), &file) != 0) {
    if (errno != ENOENT) return -1;
    return open(path.c_str(), kFlags | O_CREAT | O_EXCL | O_NOFOLLOW, S_IRUSR | S_IWUSR);
  }
  if (S_ISREG(file.st_mode)) return open(path.c_str(), kFlags | O_TRUNC | O_NOFOLLOW);
  if (S_ISLNK(file.st_mode)) {
    if (MayFollow(file)) return open(path.c_str(), kFlags | O_TRUNC | O_CREAT, S_IRUSR | S_IWUSR);
    errno = ELOOP;
    return -1;
  }
  return open(path.c_str(), kFlags);
}

}  // namespace

std::string ExpandPath(absl::string_view pattern, uint32_t pid) {
  std::string path;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '%' && i + 1 < pattern.size() && (pattern[i + 1] == 'p' || pattern[i + 1] == '%')) {
      absl::StrAppend(&path, pattern[i + 1] == 'p' ? absl::StrCat(pid) : "%");
      ++i;
    } else {
      path.push_back(pattern[i]);
    }
  }
  return path;
}

bool NamesPid(absl::string_view pattern) { return ExpandPath(pattern, 1) != ExpandPath(pattern, 2); }

absl::Status WriteAll(int descriptor, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return absl::ErrnoToStatus(errno, "write");
    text.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status WriteReportFile(const std::string& path, absl::string_view text) {
  return WriteReportFile(path, [text](int descriptor) { return WriteAll(descriptor, text); });
}

absl::Status WriteReportFile(const std::string& path, const std::function<absl::Status(int descriptor)>& write) {
  const int named = NamedDescriptor(path);
  if (named >= 0) return write(named);
  const int descriptor = OpenReportFile(path);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, "open");
  absl::Status status = write(descriptor);
  if (close(descriptor) != 0 && status.ok()) status = absl::ErrnoToStatus(errno, "close");
  return status;
}

}  // namespace mallocspy

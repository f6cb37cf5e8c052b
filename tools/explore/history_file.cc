#include "tools/explore/history_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/report/report_sink.h"

namespace mallocspy {
namespace {

absl::Status MakeFolders(const std::string& path) {
  for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string folder = path.substr(0, slash);
    if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST && access(folder.c_str(), X_OK) != 0) {
      return absl::ErrnoToStatus(errno, absl::StrCat("cannot make ", folder));
    }
  }
  return absl::OkStatus();
}

absl::Status WriteTo(const std::string& path, int flags, absl::string_view text) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | flags, 0600);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  struct stat file;
  absl::Status status = absl::OkStatus();
  if (fstat(descriptor, &file) != 0 || !S_ISREG(file.st_mode)) {
    status = absl::FailedPreconditionError(absl::StrCat(path, " is no file"));
  } else if ((file.st_mode & 077) != 0 && fchmod(descriptor, 0600) != 0) {
    status = absl::ErrnoToStatus(errno, absl::StrCat("cannot protect ", path));
  } else {
    status = WriteAll(descriptor, text);
  }
  close(descriptor);
  return status;
}

}  // namespace

std::string HistoryFile::UsualPath() {
  const char* const state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && state[0] == '/') return absl::StrCat(state, "/mallocspy/history");
  const char* const home = std::getenv("HOME");
  return home != nullptr && home[0] == '/' ? absl::StrCat(home, "/.local/state/mallocspy/history") : "";
}

std::vector<std::string> HistoryFile::Load() const {
  std::vector<std::string> lines;
  struct stat file;
  // A pipe in its place would never end.
  if (path_.empty() || stat(path_.c_str(), &file) != 0 || !S_ISREG(file.st_mode)) return lines;
  std::ifstream in(path_);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  const bool long_file = lines.size() > 2 * kMostLines;
  if (lines.size() > kMostLines) lines.erase(lines.begin(), lines.end() - kMostLines);
  if (long_file) {
    const std::string shorter = absl::StrCat(path_, ".", getpid());
    if (!WriteTo(shorter, O_EXCL, absl::StrCat(absl::StrJoin(lines, "\n"), "\n")).ok() ||
        std::rename(shorter.c_str(), path_.c_str()) != 0) {
      unlink(shorter.c_str());
    }
  }
  return lines;
}

absl::Status HistoryFile::Append(absl::string_view line) const {
  if (path_.empty()) return absl::OkStatus();
  const absl::Status folders = MakeFolders(path_);
  return folders.ok() ? WriteTo(path_, O_APPEND, absl::StrCat(line, "\n")) : folders;
}

}  // namespace mallocspy

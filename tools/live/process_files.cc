#include "tools/live/process_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "allocator/ledger/format.h"
#include "tools/reader/byte_source.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

using Directory = std::unique_ptr<DIR, int (*)(DIR*)>;
Directory OpenDirectory(const std::string& path) { return Directory(opendir(path.c_str()), closedir); }

std::string LinkTarget(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t length = readlink(path.c_str(), target, sizeof(target));
  return length > 0 ? std::string(target, static_cast<size_t>(length)) : std::string();
}

std::string AnonymousLink() { return absl::StrCat("/memfd:", ledger::kAnonymousName, " (deleted)"); }

// "name of the user", or "user 1000".
std::string Owner(uint32_t pid) {
  struct stat directory;
  if (stat(ProcPath(pid, "").c_str(), &directory) != 0) return "somebody else";
  const passwd* user = getpwuid(directory.st_uid);
  return user != nullptr ? Escaped(user->pw_name) : absl::StrCat("user ", directory.st_uid);
}

// A line of a "key:\tvalue" file.
std::string Field(const std::string& text, const std::string& key) {
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    absl::string_view value = line;
    if (absl::ConsumePrefix(&value, key + ":")) return std::string(absl::StripAsciiWhitespace(value));
  }
  return "";
}

std::vector<uint32_t> PidsByNamespace(uint32_t pid) {
  std::vector<uint32_t> pids;
  for (const absl::string_view word : absl::StrSplit(Field(ReadProcFile(pid, "status"), "NSpid"), '\t', absl::SkipEmpty())) {
    uint32_t number = 0;
    if (absl::SimpleAtoi(word, &number)) pids.push_back(number);
  }
  return pids;
}

// The process ID in the ledger at `path`; 0 if that is none.
uint32_t PidOfLedger(const std::string& path) {
  const absl::StatusOr<std::unique_ptr<FileSource>> source = FileSource::Open(path);
  uint64_t magic = 0;
  uint32_t pid = 0;
  if (!source.ok() || !(*source)->Read(0, &magic, sizeof(magic)) || magic != ledger::kMagic) return 0;
  return (*source)->Read(offsetof(ledger::Header, pid), &pid, sizeof(pid)) ? pid : 0;
}

}  // namespace

std::string ProcPath(uint32_t pid, const std::string& name) { return absl::StrCat("/proc/", pid, "/", name); }

std::string ReadProcFile(uint32_t pid, const std::string& name) {
  std::string text;
  const int descriptor = open(ProcPath(pid, name).c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return text;
  char piece[65536];
  for (;;) {
    const ssize_t got = read(descriptor, piece, sizeof(piece));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(piece, static_cast<size_t>(got));
  }
  close(descriptor);
  return text;
}

std::string ProcessName(uint32_t pid) { return std::string(absl::StripSuffix(ReadProcFile(pid, "comm"), "\n")); }

std::vector<std::string> ProcessArguments(uint32_t pid) {
  const std::string text = ReadProcFile(pid, "cmdline");
  if (text.empty()) return {};
  std::vector<std::string> arguments = absl::StrSplit(text, '\0');
  if (text.back() == '\0') arguments.pop_back();
  return arguments;
}

uint32_t PidInside(uint32_t pid) {
  const std::vector<uint32_t> pids = PidsByNamespace(pid);
  return pids.empty() ? pid : pids.back();
}

std::optional<uint32_t> PidOutside(uint32_t pid, uint32_t inside) {
  const size_t depth = PidsByNamespace(pid).size();
  if (depth <= 1) return inside;
  const std::string space = LinkTarget(ProcPath(pid, "ns/pid"));
  for (const uint32_t other : AllProcesses()) {
    const std::vector<uint32_t> pids = PidsByNamespace(other);
    if (pids.size() == depth && pids.back() == inside && LinkTarget(ProcPath(other, "ns/pid")) == space) return other;
  }
  return std::nullopt;
}

bool CatchesSignal(uint32_t pid, uint32_t signal) {
  const std::string field = Field(ReadProcFile(pid, "status"), "SigCgt");
  uint64_t caught = 0;
  return signal != 0 && signal <= 64 && absl::SimpleHexAtoi(field, &caught) && (caught >> (signal - 1) & 1) != 0;
}

bool IsRunning(uint32_t pid) {
  const std::string stat = ReadProcFile(pid, "stat");
  const size_t name_end = stat.rfind(") ");
  return name_end != std::string::npos && stat[name_end + 2] != 'Z' && stat[name_end + 2] != 'X';
}

std::vector<uint32_t> AllProcesses() {
  std::vector<uint32_t> pids;
  const Directory directory = OpenDirectory("/proc");
  while (const dirent* entry = directory != nullptr ? readdir(directory.get()) : nullptr) {
    uint32_t pid = 0;
    if (absl::SimpleAtoi(entry->d_name, &pid) && pid != 0) pids.push_back(pid);
  }
  return pids;
}

absl::Status ProcessError(uint32_t pid, int error) {
  const std::string name = Escaped(ProcessName(pid));
  const std::string process = name.empty() ? absl::StrCat("process ", pid) : absl::StrCat("process ", pid, " (", name, ")");
  if (error == ENOENT || error == ESRCH) return absl::NotFoundError(absl::StrCat("there is no process ", pid));
  if (error == EACCES || error == EPERM) {
    return absl::PermissionDeniedError(
        absl::StrCat("not permitted: ", process, " belongs to ", Owner(pid), "; ask as that user or as root"));
  }
  return absl::ErrnoToStatus(error, absl::StrCat("cannot look at ", process));
}

absl::StatusOr<std::string> FindLedger(uint32_t pid) {
  const std::string descriptors = ProcPath(pid, "fd");
  const Directory directory = OpenDirectory(descriptors);
  if (directory == nullptr) return ProcessError(pid, errno);
  const uint32_t inside = PidInside(pid);
  bool of_another = false;
  while (const dirent* entry = readdir(directory.get())) {
    const std::string path = absl::StrCat(descriptors, "/", entry->d_name);
    if (LinkTarget(path) != AnonymousLink()) continue;
    if (PidOfLedger(path) == inside) return path;
    of_another = true;
  }
  // Its descriptor may be closed, or it has a name: then it is among the mappings.
  bool library = false;
  const std::string maps = ReadProcFile(pid, "maps");
  for (const absl::string_view line : absl::StrSplit(maps, '\n')) {
    const size_t at = line.find('/');
    if (at == absl::string_view::npos) continue;
    const absl::string_view file = line.substr(at);
    library = library || absl::StrContains(file, "/libmallocspy.so");
    std::string path;
    if (file == AnonymousLink()) {
      path = ProcPath(pid, absl::StrCat("map_files/", line.substr(0, line.find(' '))));
    } else if (absl::EndsWith(file, ".mspy")) {
      path = ProcPath(pid, absl::StrCat("root", file));
    } else {
      continue;
    }
    const uint32_t owner = PidOfLedger(path);
    if (owner == inside) return path;
    of_another = of_another || owner != 0;
    if (owner == 0 && file == AnonymousLink()) {
      return absl::PermissionDeniedError(
          absl::StrCat("process ", pid, " (", Escaped(ProcessName(pid)), ") has closed the descriptor of its ledger: only root can still open it"));
    }
  }
  const std::string process = absl::StrCat("process ", pid, " (", Escaped(ProcessName(pid)), ")");
  if (of_another) {
    return absl::FailedPreconditionError(
        absl::StrCat(process, " has no record of its own yet: it was forked and has not allocated since"));
  }
  if (library) {
    return absl::FailedPreconditionError(absl::StrCat(
        process, " shows no ledger: it runs with libmallocspy.so, but its files are limited in size (ulimit -f), or it is not to be followed"));
  }
  return absl::FailedPreconditionError(absl::StrCat(
      process, " runs without mallocspy: start it by `mallocspy run -- PROGRAM`, or with LD_PRELOAD=libmallocspy.so"));
}

}  // namespace mallocspy

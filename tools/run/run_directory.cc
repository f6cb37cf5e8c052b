#include "tools/run/run_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace mallocspy {
namespace {

// A place with less is taken only if no other has more: ledgers grow.
constexpr uint64_t kRoomBytes = uint64_t{64} << 20;

// What the signal handler removes; empty while there is nothing. Written before the handler is installed.
char g_path[PATH_MAX];

// The kernel's record of a directory entry, as getdents64 gives it.
struct DirectoryEntry {
  uint64_t inode;
  int64_t offset;
  uint16_t bytes;
  uint8_t type;
  char name[];
};

bool IsDots(const char* name) { return std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0; }

// Removes every entry that one listing shows. Only calls what a signal handler may, as do those that follow.
void RemoveEntries(int directory) {
  alignas(DirectoryEntry) char buffer[4096];
  lseek(directory, 0, SEEK_SET);
  for (;;) {
    const long bytes = syscall(SYS_getdents64, directory, buffer, sizeof(buffer));
    if (bytes <= 0) return;
    for (long at = 0; at < bytes;) {
      const auto* const entry = reinterpret_cast<const DirectoryEntry*>(buffer + at);
      at += entry->bytes;
      if (!IsDots(entry->name)) unlinkat(directory, entry->name, 0);
    }
  }
}

// Removes the directory and the files in it. Removing while listing may skip some, and a process that outlives the
// program may add one meanwhile; it gives up when somebody adds without end.
void Remove(const char* path) {
  constexpr int kTries = 1000;
  const int directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (directory < 0) return;
  for (int i = 0; i < kTries; ++i) {
    RemoveEntries(directory);
    if (rmdir(path) == 0 || (errno != ENOTEMPTY && errno != EEXIST)) break;
  }
  close(directory);
}

void OnSignal(int signal) {
  if (g_path[0] != '\0') Remove(g_path);
  std::signal(signal, SIG_DFL);
  raise(signal);
}

uint64_t FreeBytes(const std::string& path) {
  struct statvfs file_system;
  if (statvfs(path.c_str(), &file_system) != 0) return 0;
  return static_cast<uint64_t>(file_system.f_bavail) * file_system.f_frsize;
}

std::vector<std::string> Places() {
  std::vector<std::string> places;
  const auto add_variable = [&places](const char* name) {
    const char* const value = std::getenv(name);
    // A relative one would mean another place to a program that changes its directory.
    if (value != nullptr && value[0] == '/') places.emplace_back(value);
  };
  add_variable("XDG_RUNTIME_DIR");
  places.emplace_back("/dev/shm");
  add_variable("TMPDIR");
  places.emplace_back("/tmp");
  return places;
}

// A new directory in `place`; empty if that cannot be.
std::string MakeIn(const std::string& place) {
  std::string path = absl::StrCat(place, "/mallocspy-run-", getpid(), "-XXXXXX");
  if (path.size() + 64 > sizeof(g_path)) return "";
  return mkdtemp(path.data()) != nullptr ? path : "";
}

}  // namespace

absl::StatusOr<RunDirectory> RunDirectory::Create() {
  std::string path;
  for (const uint64_t wanted : {kRoomBytes, uint64_t{0}}) {
    for (const std::string& place : Places()) {
      if (FreeBytes(place) < wanted) continue;
      path = MakeIn(place);
      if (path.empty()) continue;
      std::strcpy(g_path, path.c_str());
      return RunDirectory(path);
    }
  }
  return absl::UnavailableError(absl::StrCat("cannot create a private directory in ", absl::StrJoin(Places(), ", "),
                                             ": set TMPDIR to a directory with room that you may write to"));
}

RunDirectory::RunDirectory(RunDirectory&& other) noexcept : path_(std::exchange(other.path_, "")) {}

RunDirectory::~RunDirectory() {
  if (path_.empty()) return;
  Remove(path_.c_str());
  g_path[0] = '\0';
}

void RunDirectory::RemoveOnSignals() {
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXCPU, SIGALRM, SIGUSR1, SIGUSR2}) {
    struct sigaction old;
    if (sigaction(signal, nullptr, &old) != 0 || old.sa_handler != SIG_DFL) continue;
    struct sigaction action = {};
    action.sa_handler = OnSignal;
    sigfillset(&action.sa_mask);
    sigaction(signal, &action, nullptr);
  }
}

}  // namespace mallocspy

#include "allocator/run_notes.h"

#include <fcntl.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "allocator/ledger/ledger.h"
#include "allocator/process.h"
#include "allocator/system/decimal.h"
#include "allocator/system/raw_syscall.h"
#include "allocator/thread_state.h"

namespace mallocspy {
namespace {

constexpr size_t kMaxPath = 512;  // the stack may be a signal handler's
constexpr char kForked[] = ".forked";
constexpr char kSpawned[] = ".spawned";
constexpr char kElsewhere[] = ".elsewhere";
constexpr char kUnrecorded[] = ".unrecorded";
constexpr char kRunVariable[] = "MALLOCSPY_RUN=";

uint32_t OwnPid() { return static_cast<uint32_t>(RawSyscall(SYS_getpid)); }

bool IsNoting() { return RunDirectory() != nullptr && ProcessOptions().follow.Is("all"); }

// False if the directory's path is too long.
bool NotePath(uint32_t pid, const char* suffix, char (&path)[kMaxPath]) {
  const size_t length = std::strlen(RunDirectory());
  if (length + 1 + kMostDecimalDigits + std::strlen(suffix) + 1 > kMaxPath) return false;
  std::memcpy(path, RunDirectory(), length);
  char* end = path + length;
  *end++ = '/';
  std::strcpy(AppendDecimal(end, pid), suffix);
  return true;
}

bool Note(uint32_t pid, const char* suffix, const char* target) {
  char path[kMaxPath];
  if (!NotePath(pid, suffix, path)) return false;
  if (target == nullptr || target[0] == '\0') target = "(unknown)";
  const long linked = RawSyscall(SYS_symlinkat, target, AT_FDCWD, path);
  return !RawFailed(linked) || linked == -EEXIST;
}

// False if there is none.
bool Forget(const char* suffix) {
  char path[kMaxPath];
  return NotePath(OwnPid(), suffix, path) && !RawFailed(RawSyscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

// Children that cannot be noted, as in another root directory, are at least counted: by their parent's record.
void CountUnnoted(int count) {
  ledger::g_ledger.header().unfollowed_forks.fetch_add(static_cast<uint64_t>(int64_t{count}),
                                                       std::memory_order_relaxed);
}

// Whether another `mallocspy run` gave this environment.
bool IsOfAnotherRun(char* const* environment) {
  for (char* const* entry = environment; entry != nullptr && *entry != nullptr; ++entry) {
    if (std::strncmp(*entry, kRunVariable, sizeof(kRunVariable) - 1) != 0) continue;
    return std::strcmp(*entry + sizeof(kRunVariable) - 1, RunDirectory()) != 0;
  }
  return false;
}

// Whether a record of this process tells of an exec: not in a vfork child, nor in a forked one without an event.
bool HasRecord() { return CurrentPhase() != Phase::kNotStarted && IsRecordedProcess(); }

}  // namespace

void NoteFork(uint32_t child) {
  // If it cannot be noted, its record cannot be made either, which is counted then.
  if (IsNoting()) Note(child, kForked, "fork");
}

void NoteSpawned(uint32_t child, const char* program, char* const* environment) {
  if (IsNoting() && !IsOfAnotherRun(environment) && !Note(child, kSpawned, program)) CountUnnoted(1);
}

void NoteReplaced(const char* program, char* const* environment) {
  if (!IsNoting()) return;
  if (IsOfAnotherRun(environment)) {
    Note(OwnPid(), kElsewhere, program);
  } else if (!HasRecord()) {
    NoteSpawned(OwnPid(), program, environment);
  }
}

void ForgetReplaced(char* const* environment) {
  if (!IsNoting()) return;
  if (IsOfAnotherRun(environment)) {
    Forget(kElsewhere);
  } else if (!HasRecord() && !Forget(kSpawned)) {
    CountUnnoted(-1);
  }
}

void NoteUnrecorded(const char* reason) {
  if (RunDirectory() != nullptr) Note(OwnPid(), kUnrecorded, reason);
}

}  // namespace mallocspy

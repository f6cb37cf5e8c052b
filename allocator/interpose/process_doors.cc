// The ways in which a process multiplies, is replaced, or ends without running exit handlers.
#include <alloca.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>

#include "allocator/capture/unwinder.h"
#include "allocator/interpose/ending_status.h"
#include "allocator/interpose/export.h"
#include "allocator/interpose/followed_environment.h"
#include "allocator/interpose/next.h"
#include "allocator/interpose/place_of_call.h"
#include "allocator/run_notes.h"
#include "allocator/snapshot/ending.h"
#include "allocator/snapshot/fault_action.h"
#include "allocator/system/raw_syscall.h"

namespace {

using mallocspy::Next;

constexpr uint32_t kForkWaitMs = 100;

constinit Next<pid_t (*)()> next_fork("fork");
constinit Next<pid_t (*)()> next_bare_fork("_Fork");
constinit Next<void (*)(int)> next_exit("exit");
constinit Next<void (*)(int)> next_quick_exit("quick_exit");
constinit Next<int (*)(const char*, char* const[], char* const[])> next_execve("execve");
constinit Next<int (*)(const char*, char* const[], char* const[])> next_execvpe("execvpe");
constinit Next<int (*)(int, char* const[], char* const[])> next_fexecve("fexecve");
constinit Next<int (*)(int, const char*, char* const[], char* const[], int)> next_execveat("execveat");

using SpawnFunction = int (*)(pid_t*, const char*, const posix_spawn_file_actions_t*, const posix_spawnattr_t*,
                              char* const[], char* const[]);
constinit Next<SpawnFunction> next_posix_spawn("posix_spawn");
constinit Next<SpawnFunction> next_posix_spawnp("posix_spawnp");

template <typename Fork>
pid_t Forked(Fork fork) {
  mallocspy::BeginFork(kForkWaitMs);
  const pid_t pid = fork();
  if (pid == 0) {
    // The child may have started its record in there already, from a handler of pthread_atfork.
    mallocspy::ResetUnwinderAfterFork();
    mallocspy::ResetFaultsAfterFork();
  } else {
    mallocspy::EndFork();
    if (pid > 0) mallocspy::NoteFork(static_cast<uint32_t>(pid));
  }
  return pid;
}

[[noreturn]] void End(int status, const mallocspy::ProgramPoint* point) {
  mallocspy::EndRecord(mallocspy::ledger::End::kExit, status & 0xff, point);
  for (;;) mallocspy::RawSyscall(SYS_exit_group, status);
}

// The exec functions return only when they failed: then the record goes on.
template <typename Exec>
int Replaced(const char* path, char* const* environment, Exec exec) {
  mallocspy::NoteReplaced(path, environment);
  mallocspy::NoteExec(path);
  const int result = exec();
  mallocspy::NoteExec(nullptr);
  mallocspy::ForgetReplaced(environment);
  return result;
}

template <typename Spawn>
int Spawned(pid_t* pid, const char* path, char* const* environment, Spawn spawn) {
  pid_t child = 0;
  const int result = spawn(&child);
  if (result != 0) return result;
  mallocspy::NoteSpawned(static_cast<uint32_t>(child), path, environment);
  if (pid != nullptr) *pid = child;
  return 0;
}

// `environment` as the new program gets it; on the stack of the function that says so.
#define MALLOCSPY_FOLLOWED(environment) \
  mallocspy::FollowedEnvironment(environment, alloca(mallocspy::FollowedEnvironment::BytesFor(environment))).entries()

// Standard input, output and error become /dev/null; -1 with errno if that is not the null device.
int RedirectToNull() {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return -1;
  struct stat file;
  int result = fstat(null, &file);
  if (result == 0 && !(S_ISCHR(file.st_mode) && file.st_rdev == makedev(1, 3))) {
    errno = ENODEV;
    result = -1;
  }
  for (int fd = 0; result == 0 && fd <= 2; ++fd) {
    // One that is already the right descriptor stays open over exec, too.
    if (null == fd ? fcntl(fd, F_SETFD, 0) < 0 : dup2(null, fd) < 0) result = -1;
  }
  const int error = errno;
  if (null > 2) close(null);
  errno = error;
  return result;
}

size_t CountArguments(va_list& list) {
  size_t count = 1;
  while (va_arg(list, const char*) != nullptr) ++count;
  return count;
}

void CollectArguments(const char** arguments, size_t count, const char* first, va_list& list) {
  arguments[0] = first;
  for (size_t i = 1; i <= count; ++i) arguments[i] = va_arg(list, const char*);
}

}  // namespace

extern "C" {

MALLOCSPY_DOOR pid_t fork() { return Forked(next_fork.get()); }
MALLOCSPY_DOOR pid_t _Fork() { return Forked(next_bare_fork.get()); }

// libc's own forks and ends the parent past every door, which would look as if it had been killed.
MALLOCSPY_DOOR int daemon(int keep_directory, int keep_files) {
  const pid_t child = Forked(next_fork.get());
  if (child < 0) return -1;
  if (child > 0) End(0, nullptr);
  if (setsid() < 0) return -1;
  if (keep_directory == 0) [[maybe_unused]] const int as_in_libc = chdir("/");
  return keep_files == 0 ? RedirectToNull() : 0;
}

MALLOCSPY_DOOR void _exit(int status) {
  MALLOCSPY_KEPT_REGISTERS(kept);
  const mallocspy::ProgramPoint point = mallocspy::PointOf(MALLOCSPY_DOOR_FRAME(), kept);
  End(status, &point);
}
MALLOCSPY_DOOR void _Exit(int status) {
  MALLOCSPY_KEPT_REGISTERS(kept);
  const mallocspy::ProgramPoint point = mallocspy::PointOf(MALLOCSPY_DOOR_FRAME(), kept);
  End(status, &point);
}

// Only notes where it was called; what main() returns to calls libc's own.
MALLOCSPY_DOOR void exit(int status) {
  MALLOCSPY_KEPT_REGISTERS(kept);
  mallocspy::NoteExit(mallocspy::PointOf(MALLOCSPY_DOOR_FRAME(), kept));
  next_exit.get()(status);
  __builtin_unreachable();
}

MALLOCSPY_DOOR void quick_exit(int status) {
  mallocspy::NoteQuickExit(status);  // its handlers still run; ours, the first registered, is the last of them
  next_quick_exit.get()(status);
  __builtin_unreachable();
}

MALLOCSPY_DOOR int execve(const char* path, char* const arguments[], char* const environment[]) {
  char* const* followed = MALLOCSPY_FOLLOWED(environment);
  return Replaced(path, followed, [=] { return next_execve.get()(path, arguments, followed); });
}
MALLOCSPY_DOOR int execv(const char* path, char* const arguments[]) {
  char* const* followed = MALLOCSPY_FOLLOWED(environ);
  return Replaced(path, followed, [=] { return next_execve.get()(path, arguments, followed); });
}
MALLOCSPY_DOOR int execvpe(const char* file, char* const arguments[], char* const environment[]) {
  char* const* followed = MALLOCSPY_FOLLOWED(environment);
  return Replaced(file, followed, [=] { return next_execvpe.get()(file, arguments, followed); });
}
MALLOCSPY_DOOR int execvp(const char* file, char* const arguments[]) {
  char* const* followed = MALLOCSPY_FOLLOWED(environ);
  return Replaced(file, followed, [=] { return next_execvpe.get()(file, arguments, followed); });
}
MALLOCSPY_DOOR int fexecve(int fd, char* const arguments[], char* const environment[]) {
  char* const* followed = MALLOCSPY_FOLLOWED(environment);
  return Replaced("(a file descriptor)", followed, [=] { return next_fexecve.get()(fd, arguments, followed); });
}
MALLOCSPY_DOOR int execveat(int fd, const char* path, char* const arguments[], char* const environment[], int flags) {
  char* const* followed = MALLOCSPY_FOLLOWED(environment);
  return Replaced(path, followed, [=] { return next_execveat.get()(fd, path, arguments, followed, flags); });
}

MALLOCSPY_DOOR int posix_spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
                               const posix_spawnattr_t* attributes, char* const arguments[], char* const environment[]) {
  char* const* followed = MALLOCSPY_FOLLOWED(environment);
  return Spawned(pid, path, followed, [=](pid_t* child) {
    return next_posix_spawn.get()(child, path, actions, attributes, arguments, followed);
  });
}
MALLOCSPY_DOOR int posix_spawnp(pid_t* pid, const char* file, const posix_spawn_file_actions_t* actions,
                                const posix_spawnattr_t* attributes, char* const arguments[], char* const environment[]) {
  char* const* followed = MALLOCSPY_FOLLOWED(environment);
  return Spawned(pid, file, followed, [=](pid_t* child) {
    return next_posix_spawnp.get()(child, file, actions, attributes, arguments, followed);
  });
}

// The list forms, turned into the array forms on the stack: exec must work in a signal handler.
#define MALLOCSPY_COLLECT_ARGUMENTS(first)                                                     \
  va_list list;                                                                                \
  va_start(list, first);                                                                       \
  const size_t count = CountArguments(list);                                                   \
  va_end(list);                                                                                \
  const char** arguments = static_cast<const char**>(alloca((count + 1) * sizeof(char*)));     \
  va_start(list, first);                                                                       \
  CollectArguments(arguments, count, first, list);                                             \
  char* const* argument_array = const_cast<char* const*>(arguments)

MALLOCSPY_DOOR int execl(const char* path, const char* first, ...) {
  MALLOCSPY_COLLECT_ARGUMENTS(first);
  va_end(list);
  char* const* followed = MALLOCSPY_FOLLOWED(environ);
  return Replaced(path, followed, [=] { return next_execve.get()(path, argument_array, followed); });
}
MALLOCSPY_DOOR int execlp(const char* file, const char* first, ...) {
  MALLOCSPY_COLLECT_ARGUMENTS(first);
  va_end(list);
  char* const* followed = MALLOCSPY_FOLLOWED(environ);
  return Replaced(file, followed, [=] { return next_execvpe.get()(file, argument_array, followed); });
}
MALLOCSPY_DOOR int execle(const char* path, const char* first, ...) {
  MALLOCSPY_COLLECT_ARGUMENTS(first);
  char* const* environment = va_arg(list, char* const*);
  va_end(list);
  char* const* followed = MALLOCSPY_FOLLOWED(environment);
  return Replaced(path, followed, [=] { return next_execve.get()(path, argument_array, followed); });
}

}  // extern "C"

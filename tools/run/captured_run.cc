#include "tools/run/captured_run.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace mallocspy {
namespace {

// Both ends of a pipe.
class Pipe {
 public:
  Pipe() : made_(pipe2(ends_, O_CLOEXEC) == 0) {}
  ~Pipe() {
    CloseEnd(0);
    CloseEnd(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  bool made() const { return made_; }
  int end(int number) const { return ends_[number]; }
  void CloseEnd(int number) {
    if (ends_[number] >= 0) close(ends_[number]);
    ends_[number] = -1;
  }

 private:
  int ends_[2] = {-1, -1};
  bool made_;
};

// False at the end of the file.
bool ReadSome(int descriptor, std::string* text) {
  char buffer[1 << 16];
  const ssize_t got = read(descriptor, buffer, sizeof(buffer));
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  text->append(buffer, static_cast<size_t>(got));
  return got > 0;
}

// False if the time was over before both were closed.
bool ReadAll(Pipe* output, Pipe* error, absl::Time deadline, CapturedRun* run) {
  for (;;) {
    pollfd open[2] = {{output->end(0), POLLIN, 0}, {error->end(0), POLLIN, 0}};
    if (open[0].fd < 0 && open[1].fd < 0) return true;
    const int64_t left_ms = absl::ToInt64Milliseconds(deadline - absl::Now());
    if (left_ms <= 0) return false;
    if (poll(open, 2, static_cast<int>(left_ms)) < 0 && errno != EINTR) return false;
    if (open[0].revents != 0 && !ReadSome(open[0].fd, &run->output)) output->CloseEnd(0);
    if (open[1].revents != 0 && !ReadSome(open[1].fd, &run->error)) error->CloseEnd(0);
  }
}

}  // namespace

absl::StatusOr<CapturedRun> RunCaptured(const std::vector<std::string>& arguments, int limit_seconds) {
  Pipe output, error;
  if (!output.made() || !error.made()) return absl::ErrnoToStatus(errno, "pipe");
  std::vector<std::string> copies = arguments;
  std::vector<char*> argv;
  for (std::string& copy : copies) argv.push_back(copy.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, output.end(1), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, error.end(1), STDERR_FILENO);
  pid_t pid = 0;
  const int failed = posix_spawn(&pid, argv[0], &files, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (failed != 0) return absl::ErrnoToStatus(failed, absl::StrCat("cannot start ", arguments[0]));
  output.CloseEnd(1);
  error.CloseEnd(1);

  CapturedRun run;
  const bool ended = ReadAll(&output, &error, absl::Now() + absl::Seconds(limit_seconds), &run);
  if (!ended) kill(pid, SIGKILL);
  while (waitpid(pid, &run.wait_status, 0) < 0) {
    if (errno != EINTR) return absl::ErrnoToStatus(errno, "wait");
  }
  if (!ended) return absl::DeadlineExceededError(absl::StrCat("did not end within ", limit_seconds, " seconds"));
  return run;
}

}  // namespace mallocspy

#include "tests/allocator/fresh_process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "allocator/thread_state.h"

extern "C" void* __libc_stack_end;

namespace {

const char* chosen_options = nullptr;
void (*when_options_are_asked)() = nullptr;

// A child that hangs is a failure with a cause, not a test run without an end.
constexpr unsigned kMostSeconds = 300;

int CountFailures() {
  const testing::TestResult* result = testing::UnitTest::GetInstance()->current_test_info()->result();
  int failures = 0;
  for (int i = 0; i < result->total_part_count(); ++i) failures += result->GetTestPartResult(i).failed() ? 1 : 0;
  return failures;
}

}  // namespace

// The library asks for it if the program defines it.
extern "C" const char* mallocspy_default_options(void) {
  if (when_options_are_asked != nullptr) when_options_are_asked();
  return chosen_options;
}

#if defined(MALLOCSPY_SANITIZED)
// Too large a request is answered, not fatal; blocks that tests leave behind are meant to be left; signals are the tests' own.
#define MALLOCSPY_SANITIZER_OPTIONS \
  "allocator_may_return_null=1:handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0"
extern "C" __attribute__((visibility("default"))) const char* __asan_default_options() {
  return MALLOCSPY_SANITIZER_OPTIONS ":detect_leaks=0";
}
extern "C" __attribute__((visibility("default"))) const char* __tsan_default_options() {
  return MALLOCSPY_SANITIZER_OPTIONS ":die_after_fork=0";
}
#endif

namespace mallocspy {

pid_t ForkWith(const std::function<void()>& body) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child != 0) return child;
  alarm(kMostSeconds);
  const int failures_before = CountFailures();
  body();
  std::fflush(nullptr);
  _exit(CountFailures() == failures_before ? 0 : 1);
}

testing::AssertionResult EndsWell(pid_t child) {
  int status = -1;
  if (child < 0 || waitpid(child, &status, 0) != child) {
    return testing::AssertionFailure() << "no child: " << std::strerror(errno);
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return testing::AssertionSuccess();
  if (WIFSIGNALED(status)) return testing::AssertionFailure() << "the child was ended by signal " << WTERMSIG(status);
  return testing::AssertionFailure() << "the child found failures (above); status " << WEXITSTATUS(status);
}

void InFreshProcess(const std::function<void()>& body) {
  ASSERT_EQ(CurrentPhase(), Phase::kNotStarted) << "this process's record has started: no child of it is fresh";
  EXPECT_TRUE(EndsWell(ForkWith(body)));
}

int StatusOfFreshProcess(const std::function<void()>& body) {
  EXPECT_EQ(CurrentPhase(), Phase::kNotStarted) << "this process's record has started: no child of it is fresh";
  const pid_t child = ForkWith(body);
  int status = -1;
  if (child < 0 || waitpid(child, &status, 0) != child) ADD_FAILURE() << "no child: " << std::strerror(errno);
  return status;
}

void SetOptions(const char* options, void (*when_asked)()) {
  chosen_options = options;
  when_options_are_asked = when_asked;
}

void SetInitialEnvironment(const std::string& name, const std::string& value) {
  long* start = static_cast<long*>(__libc_stack_end);
  char** environment = reinterpret_cast<char**>(start + 1) + *start + 1;
  char* entry = strdup((name + "=" + value).c_str());
  char** other = nullptr;  // makes room if there is no such entry yet
  for (char** at = environment; *at != nullptr; ++at) {
    if (std::strncmp(*at, entry, name.size() + 1) == 0) {
      *at = entry;
      return;
    }
    if (std::strncmp(*at, "MALLOCSPY_", 10) != 0) other = at;
  }
  ASSERT_NE(other, nullptr) << "the tests need an environment with an entry that they can do without";
  *other = entry;
}

}  // namespace mallocspy

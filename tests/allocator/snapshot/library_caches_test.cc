#include "allocator/snapshot/library_caches.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "tests/allocator/fresh_process.h"

namespace mallocspy {
namespace {

void Ignore(void*, void*) {}

// What a forked child, as a copy is one, leaves of a stream that libc flushes.
TEST(LibraryCaches, NothingThatIsBufferedIsWritten) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  FILE* file = std::tmpfile();
  const pid_t child = fork();
  if (child == 0) {
    std::fputs("buffered", file);
    FindLibraryCaches(-1, Ignore, nullptr);
    _exit(fcntl(fileno(file), F_GETFD) < 0 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(lseek(fileno(file), 0, SEEK_END), 0);
  std::fclose(file);
}

TEST(LibraryCaches, StandardErrorAndTheKeptDescriptorStay) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    FindLibraryCaches(ends[1], Ignore, nullptr);
    const bool kept = fcntl(ends[1], F_GETFD) >= 0 && fcntl(2, F_GETFD) >= 0;
    const bool closed = fcntl(ends[0], F_GETFD) < 0 && fcntl(0, F_GETFD) < 0 && fcntl(1, F_GETFD) < 0;
    _exit(kept && closed ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  close(ends[0]);
  close(ends[1]);
}

int Hang(void*, const char*, size_t) {
  for (;;) pause();
}
int Crash(void*, const char*, size_t) { std::abort(); }

// libc calls a stream's own functions when it flushes it.
TEST(LibraryCaches, ComesBackWhateverTheLibrariesDo) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  for (const bool hangs : {true, false}) {
    const pid_t child = fork();
    if (child == 0) {
      cookie_io_functions_t functions = {};
      functions.write = hangs ? [](void* c, const char* d, size_t n) -> ssize_t { return Hang(c, d, n); }
                              : [](void* c, const char* d, size_t n) -> ssize_t { return Crash(c, d, n); };
      FILE* stream = fopencookie(nullptr, "w", functions);
      std::fputs("buffered", stream);
      FindLibraryCaches(-1, Ignore, nullptr);
      _exit(17);
    }
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 17) << status;
  }
}

}  // namespace
}  // namespace mallocspy

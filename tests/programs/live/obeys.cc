// Does what it is told, a line at a time, and says "ok" after each; ends with its input. For run_live.py.
//
//   keep COUNT SIZE      makes and keeps blocks
//   drop COUNT           frees the latest ones
//   lose COUNT SIZE      makes blocks and forgets them
//   write TEXT           keeps a block with a pointer to a function, one to a variable and the text, and one of 64 KiB that is never written
//   threads COUNT        starts threads that allocate and free until the end
//   take SIGNAL          handles it; "ok 0" if it had the default action, as it should seem
//   default SIGNAL       sets its default action
//   raise SIGNAL         "ok N": how many its handler has seen
//   block                blocks all signals
//   close                closes all descriptors from 3 on
//   fork COUNT SIZE      a child keeps blocks and lives on: "ok PID"
//   dump PATH            "ok N": what mallocspy_dump() says
//   mark NAME            "ok N": what mallocspy_mark_as() says
//   small-stack          goes on in a thread with the smallest stack
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "allocator/heap_dump.h"

extern "C" int mallocspy_dump(const char* path) __attribute__((weak));
extern "C" uint64_t mallocspy_mark_as(const char* name) __attribute__((weak));

namespace {

constexpr size_t kMost = 1 << 20;
void* kept[kMost];
size_t kept_count = 0;
std::atomic<int> handled{0};

void Keep(size_t count, size_t size) {
  for (size_t i = 0; i < count && kept_count < kMost; ++i) kept[kept_count++] = malloc(size);
}

void Lose(size_t count, size_t size) {
  for (size_t i = 0; i < count; ++i) {
    void* volatile block = malloc(size);
    block = nullptr;
    (void)block;
  }
}

struct Written {
  void (*function)(size_t count, size_t size);
  size_t* variable;
  char text[48];
};

void Write(const char* text) {
  auto* written = static_cast<Written*>(malloc(sizeof(Written)));
  *written = {Lose, &kept_count, {}};
  strncpy(written->text, text, sizeof(written->text) - 1);
  kept[kept_count++] = written;
  kept[kept_count++] = calloc(1, 1 << 16);
}

void* Busy(void*) {
  for (unsigned i = 0;; ++i) {
    void* volatile blocks[16];
    for (unsigned j = 0; j < 16; ++j) blocks[j] = malloc(1 + (i + j) % 900);
    for (unsigned j = 0; j < 16; ++j) free(blocks[j]);
  }
}

void Handle(int) { ++handled; }

// What is left of calls must not hold blocks that were lost.
__attribute__((noinline)) void ClearStack() {
  volatile char zeros[8192];
  for (volatile char& zero : zeros) zero = 0;
}

void Obey(char* line);

void* ObeyAll(void*) {
  char line[200];
  while (fgets(line, sizeof(line), stdin) != nullptr) {
    Obey(line);
    ClearStack();
    fflush(stdout);
  }
  return nullptr;
}

long First(const char* line) { return strtol(strchr(line, ' ') + 1, nullptr, 10); }
long Second(const char* line) { return strtol(strrchr(line, ' ') + 1, nullptr, 10); }
bool Is(const char* line, const char* word) { return strncmp(line, word, strlen(word)) == 0; }

void Obey(char* line) {
  long answer = -1;
  line[strcspn(line, "\n")] = '\0';
  if (Is(line, "keep ")) {
    Keep(First(line), Second(line));
  } else if (Is(line, "drop ")) {
    for (long i = 0; i < First(line) && kept_count > 0; ++i) free(kept[--kept_count]);
  } else if (Is(line, "lose ")) {
    Lose(First(line), Second(line));
  } else if (Is(line, "write ")) {
    Write(line + 6);
  } else if (Is(line, "threads ")) {
    for (long i = 0; i < First(line); ++i) {
      pthread_t thread;
      pthread_create(&thread, nullptr, Busy, nullptr);
      pthread_detach(thread);
    }
  } else if (Is(line, "take ")) {
    struct sigaction action = {}, before = {};
    action.sa_handler = Handle;
    sigaction(First(line), nullptr, &before);
    answer = before.sa_handler == SIG_DFL ? 0 : 1;
    sigaction(First(line), &action, &before);
    if (before.sa_handler != SIG_DFL) answer += 2;
  } else if (Is(line, "default ")) {
    signal(First(line), SIG_DFL);
  } else if (Is(line, "raise ")) {
    raise(First(line));
    answer = handled;
  } else if (Is(line, "dump ")) {
    answer = mallocspy_dump(line + 5);
  } else if (Is(line, "mark ")) {
    answer = mallocspy_mark_as(line + 5);
  } else if (Is(line, "block")) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, nullptr);
  } else if (Is(line, "close")) {
    for (int fd = 3; fd < 65536; ++fd) close(fd);
  } else if (Is(line, "fork ")) {
    const pid_t child = fork();
    if (child == 0) {
      Keep(First(line), Second(line));
      for (;;) pause();
    }
    answer = child;
  } else if (Is(line, "small-stack")) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN);
    puts("ok");
    fflush(stdout);
    pthread_t thread;
    pthread_create(&thread, &attributes, ObeyAll, nullptr);
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    pthread_join(thread, nullptr);
    exit(0);
  }
  if (answer < 0) {
    puts("ok");
  } else {
    printf("ok %ld\n", answer);
  }
}

}  // namespace

int main() {
  ObeyAll(nullptr);
  // Children that were forked live as long as this.
  signal(SIGTERM, SIG_IGN);
  kill(0, SIGTERM);
  return 0;
}

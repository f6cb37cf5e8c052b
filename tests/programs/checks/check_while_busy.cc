// Checks while other threads allocate, start threads, fork, load libraries and take signals: each finds just what was lost since its mark.
// Silent and 0 without mallocspy, too.
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "allocator/leak_check.h"

#pragma weak mallocspy_mark
#pragma weak mallocspy_check_leaks

static std::atomic<bool> done{false};
static std::atomic<long> rounds{0};
static std::atomic<int> ticks{0};

static void OnAlarm(int) { ticks.fetch_add(1); }

static void Allocate() {
  std::vector<void*> kept(50, nullptr);
  for (unsigned seed = 1; !done; seed = seed * 1103515245 + 12345, ++rounds) {
    void*& place = kept[(seed >> 16) % kept.size()];
    std::free(place);
    place = std::malloc(seed % 5000);
  }
  for (void* block : kept) std::free(block);
}

static void StartThreads() {
  while (!done) std::thread([] { std::free(std::malloc(10)); }).join(), ++rounds;
}

static void Fork() {
  while (!done) {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    int status = 0;
    waitpid(child, &status, 0);
    ++rounds;
  }
}

static void Load() {
  while (!done) {
    void* library = dlopen(LIBRARY_FOLDER "/libclosed_holder_library.so", RTLD_NOW);
    if (library != nullptr) dlclose(library);
    ++rounds;
  }
}

__attribute__((noinline)) static void Lose(int count) {
  for (int i = 0; i < count; ++i) {
    void* volatile lost = std::malloc(64);  // leak: 45 blocks 2880 bytes malloc
    lost = nullptr;
    (void)lost;
  }
}

__attribute__((noinline)) static void Forget() {
  volatile char room[8192];
  std::memset(const_cast<char*>(room), 0, sizeof(room));
}

int main() {
  if (mallocspy_check_leaks == nullptr) return 0;
  struct sigaction action = {};
  action.sa_handler = OnAlarm;
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, nullptr);
  const itimerval every = {{0, 1000}, {0, 1000}};
  setitimer(ITIMER_REAL, &every, nullptr);
  std::thread threads[] = {std::thread(Allocate), std::thread(StartThreads), std::thread(Fork), std::thread(Load)};
  int failures = 0;
  for (int lost = 0; lost < 10; ++lost) {
    const mallocspy::LeakScope scope;
    for (const long before = rounds; rounds < before + 20;) std::this_thread::yield();
    Lose(lost);
    Forget();
    const mallocspy_leaks leaks = scope.Check();
    if (leaks.error != 0 || leaks.definite.blocks < static_cast<size_t>(lost) || leaks.unanswered != 0) {
      std::printf("round %d: error %d, %zu definite blocks, %u threads without an answer\n", lost, leaks.error, leaks.definite.blocks,
                  leaks.unanswered);
      ++failures;
    }
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  const itimerval never = {};
  setitimer(ITIMER_REAL, &never, nullptr);
  if (ticks == 0) std::puts("no signal came"), ++failures;
  return failures;
}

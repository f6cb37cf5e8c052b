// Threads signal each other all the time; the handlers run on stacks of their own, allocate, and keep their blocks there for a while.
// also: what a handler holds just then
// repeats: 3
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { kThreads = 4, kStackBytes = 64 * 1024 };
static atomic_int handled;
static atomic_int ready;
static pthread_t threads[kThreads];

static void Handle(int number) {
  char* volatile block = malloc(200);
  for (int i = 0; i < 100; ++i) block[i] = (char)number;
  free(block);
  ++handled;
}

// Leaves words behind that lead to lost blocks, where a handler's frame or a call might not overwrite them.
__attribute__((noinline)) static void* Lose(int depth) {
  void* volatile lost[64];
  for (int i = 0; i < 64; ++i) lost[i] = NULL;
  if (depth > 0) return Lose(depth - 1);
  lost[32] = malloc(32);  // leak: 4 blocks 128 bytes malloc is definite
  return lost[0];
}

static void* Work(void* number) {
  const stack_t other = {.ss_sp = mmap(NULL, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                         .ss_size = kStackBytes};
  sigaltstack(&other, NULL);
  Lose(20);
  // What a call leaves in registers might be in use.
  asm volatile(
      "xor %%ecx, %%ecx\n\txor %%edx, %%edx\n\txor %%esi, %%esi\n\txor %%edi, %%edi\n\txor %%r8d, %%r8d\n\txor %%r9d, "
      "%%r9d" ::
          : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "cc");
  ++ready;
  while (ready < kThreads) usleep(100);
  for (int i = 0;; ++i) pthread_kill(threads[i % kThreads], SIGUSR1);
  return number;
}

int main(void) {
  struct sigaction action = {.sa_handler = Handle, .sa_flags = SA_RESTART | SA_ONSTACK};
  sigaction(SIGUSR1, &action, NULL);
  for (int i = 0; i < kThreads; ++i) pthread_create(&threads[i], NULL, Work, NULL);
  while (handled < 1000) usleep(1000);
  return 0;
}

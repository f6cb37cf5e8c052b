// Timers signal the process a thousand times a second while it ends; the handlers allocate, with all other signals blocked.
// also: what a handler holds just then
// repeats: 3
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

enum { kThreads = 3 };
static atomic_int handled;
static atomic_int ready;
static sigset_t timers;

static void Handle(int number) {
  free(malloc(100 + (size_t)number));
  ++handled;
}

// Far from what its caller has below its stack pointer, which may be in use.
__attribute__((noinline)) static void Lose(void) {
  volatile char apart[512] = {0};
  void* volatile lost = malloc(31);  // leak: 7 blocks 217 bytes malloc is definite
  if (lost != NULL && apart[0] == 0) lost = NULL;
}

// A handler may allocate where it interrupts nothing that does. What a call leaves in registers is overwritten: it might be in use.
static void* TakeSignals(void* unused) {
  Lose();
  asm volatile(
      "xor %%ecx, %%ecx\n\txor %%edx, %%edx\n\txor %%esi, %%esi\n\txor %%edi, %%edi\n\txor %%r8d, %%r8d\n\txor %%r9d, "
      "%%r9d" ::
          : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "cc");
  ++ready;
  pthread_sigmask(SIG_UNBLOCK, &timers, NULL);
  for (volatile int i = 0;; ++i) continue;
  return unused;
}

static void* Work(void* unused) {
  Lose();
  ++ready;
  for (;;) free(malloc(1000));
  return unused;
}

int main(void) {
  struct sigaction action = {.sa_handler = Handle, .sa_flags = SA_RESTART};
  sigfillset(&action.sa_mask);
  sigaction(SIGALRM, &action, NULL);
  sigaction(SIGPROF, &action, NULL);
  sigemptyset(&timers);
  sigaddset(&timers, SIGALRM);
  sigaddset(&timers, SIGPROF);
  pthread_sigmask(SIG_BLOCK, &timers, NULL);
  const struct itimerval often = {{0, 1000}, {0, 1000}};
  setitimer(ITIMER_REAL, &often, NULL);
  setitimer(ITIMER_PROF, &often, NULL);
  pthread_t thread;
  for (int i = 0; i < kThreads; ++i) {
    pthread_create(&thread, NULL, TakeSignals, NULL);
    pthread_create(&thread, NULL, Work, NULL);
  }
  Lose();
  while (handled < 100 || ready < 2 * kThreads) usleep(1000);
  exit(7);  // exit: 7
}

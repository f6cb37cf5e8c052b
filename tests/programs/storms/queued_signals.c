// The queue of real-time signals is full while the process ends, and threads empty and fill it all the time.
// also: what a handler holds just then
// repeats: 3
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { kThreads = 3 };
static atomic_int handled;
static sigset_t taken;

static void Handle(int number, siginfo_t* info, void* context) {
  free(malloc((size_t)info->si_value.sival_int + 1));
  handled += context != NULL && number == SIGRTMIN + 1;
}

// Far from what its caller has below its stack pointer, which may be in use.
__attribute__((noinline)) static void Lose(void) {
  volatile char apart[512] = {0};
  void* volatile lost = malloc(33);  // leak: 1 block 33 bytes malloc is definite
  if (lost != NULL && apart[0] == 0) lost = NULL;
}

static void* Send(void* unused) {
  pthread_sigmask(SIG_UNBLOCK, &taken, NULL);
  for (int i = 0;; ++i) {
    sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = i % 500});
    if (handled >= 200) sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = i % 500});  // nobody takes these
  }
  return unused;
}

int main(void) {
  struct sigaction action = {.sa_sigaction = Handle, .sa_flags = SA_RESTART | SA_SIGINFO};
  sigaction(SIGRTMIN + 1, &action, NULL);
  sigset_t blocked;
  sigemptyset(&taken);
  sigaddset(&taken, SIGRTMIN + 1);
  blocked = taken;
  sigaddset(&blocked, SIGRTMIN + 2);
  pthread_sigmask(SIG_BLOCK, &blocked, NULL);
  const struct rlimit limit = {100, 100};
  setrlimit(RLIMIT_SIGPENDING, &limit);
  Lose();
  pthread_t threads[kThreads];
  for (int i = 0; i < kThreads; ++i) pthread_create(&threads[i], NULL, Send, NULL);
  while (handled < 200) usleep(100);
  while (sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = 0}) == 0) continue;
  return 0;
}

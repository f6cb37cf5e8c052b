// Threads fork, vfork, spawn and call shells while the process ends.
// also: what a fork and a shell hold just then
// child verdict: clean or incomplete
// repeats: 2
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_int done[4];
static char* program[] = {"/bin/true", NULL};

// Far from what its caller has below its stack pointer, which may be in use.
__attribute__((noinline)) static void Lose(void) {
  volatile char apart[512] = {0};
  void* volatile lost = malloc(34);  // leak: 1 block 34 bytes malloc is definite
  if (lost != NULL && apart[0] == 0) lost = NULL;
}

static void* Fork(void* unused) {
  for (;; ++done[0]) {
    const pid_t child = fork();
    if (child == 0) {
      free(malloc(50));
      _exit(0);  // exit() may wait forever for libc's lock of exit handlers, which the parent's main thread held at the fork
    }
    waitpid(child, NULL, 0);
  }
  return unused;
}

static void* Vfork(void* unused) {
  for (;; ++done[1]) {
    const pid_t child = vfork();
    if (child == 0) {
      execv(program[0], program);
      _exit(1);
    }
    waitpid(child, NULL, 0);
  }
  return unused;
}

static void* Spawn(void* unused) {
  for (;; ++done[2]) {
    pid_t child;
    if (posix_spawn(&child, program[0], NULL, NULL, program, environ) == 0) waitpid(child, NULL, 0);
  }
  return unused;
}

static void* Call(void* unused) {
  for (;; ++done[3]) system("true");
  return unused;
}

int main(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, Fork, NULL);
  pthread_create(&thread, NULL, Vfork, NULL);
  pthread_create(&thread, NULL, Spawn, NULL);
  pthread_create(&thread, NULL, Call, NULL);
  Lose();
  while (done[0] < 2 || done[1] < 2 || done[2] < 2 || done[3] < 2) usleep(1000);
  exit(8);  // exit: 8
}

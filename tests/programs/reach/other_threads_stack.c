// Threads that still run at the end hold blocks in their stacks: one blocked in a system call, one that computes.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_int ready;
static atomic_int never;

static void* Blocked(void* fds) {
  void* volatile held = malloc(70);  // leak: 1 block 70 bytes malloc is reachable from stack
  char byte;
  ++ready;
  if (read(((int*)fds)[0], &byte, 1) == 1) free(held);
  return NULL;
}

static void* Busy(void* unused) {
  void* volatile held = malloc(71);  // leak: 1 block 71 bytes malloc is reachable from stack
  ++ready;
  while (!never) {
  }
  free(held);
  return unused;
}

int main(void) {
  static int fds[2];
  pthread_t threads[2];
  if (pipe(fds) != 0) return 1;
  pthread_create(&threads[0], NULL, Blocked, fds);
  pthread_create(&threads[1], NULL, Busy, NULL);
  while (ready < 2) usleep(100);
  exit(0);
}

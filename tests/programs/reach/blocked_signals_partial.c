// A thread that blocks all signals cannot be asked for its registers: its whole stack is searched, and the report names it.
// degraded: did not stop when asked to
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_int ready;

static void* Deaf(void* fds) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, NULL);
  void* volatile held = malloc(77);  // leak: 1 block 77 bytes malloc is reachable from stack
  char byte;
  ++ready;
  return read(((int*)fds)[0], &byte, 1) == 1 ? held : NULL;
}

int main(void) {
  static int fds[2];
  pthread_t thread;
  if (pipe(fds) != 0) return 1;
  pthread_create(&thread, NULL, Deaf, fds);
  while (!ready) usleep(100);
  exit(0);
}

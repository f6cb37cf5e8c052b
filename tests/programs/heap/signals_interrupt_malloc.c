// A timer interrupts malloc and free themselves all the time; its handler only counts, and leaves by siglongjmp at
// last.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

static volatile sig_atomic_t handled;

static void Handle(int signal_number) { handled += signal_number == SIGPROF; }

int main(void) {
  signal(SIGPROF, Handle);
  const struct itimerval often = {{0, 1000}, {0, 1000}};
  setitimer(ITIMER_PROF, &often, NULL);
  void* blocks[64] = {NULL};
  for (unsigned i = 0; handled < 50; ++i) {
    free(blocks[i % 64]);
    blocks[i % 64] = malloc(i % 3000);
  }
  for (int i = 0; i < 64; ++i) free(blocks[i]);
  printf("done\n");
  return 0;
}

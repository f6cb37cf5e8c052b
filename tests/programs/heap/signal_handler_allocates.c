// A handler that allocates, run by raise() and by a timer that interrupts code that is not in malloc.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

static volatile sig_atomic_t handled;

static void Handle(int signal_number) {
  (void)signal_number;
  free(realloc(malloc(27), 2700));
  ++handled;
}

int main(void) {
  signal(SIGALRM, Handle);
  for (int i = 0; i < 1000; ++i) raise(SIGALRM);
  const struct itimerval often = {{0, 500}, {0, 500}};
  const struct itimerval never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &often, NULL);
  while (handled < 1200) {
  }
  setitimer(ITIMER_REAL, &never, NULL);
  printf("done\n");
  return 0;
}

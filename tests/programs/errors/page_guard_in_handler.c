// A signal handler of the program reads a freed block: told with the handler's stack and what it interrupted.
// library options: page_guard=1
#include <signal.h>
#include <stdlib.h>

static const char* volatile freed;
static volatile char seen;

static void Handle(int number) {
  (void)number;
  seen = freed[7];  // error: use-after-free-read
}

int main(void) {
  freed = malloc(30);
  free((void*)freed);
  signal(SIGUSR1, Handle);
  raise(SIGUSR1);
  return seen;  // error-values: use-after-free-read 30 7
}

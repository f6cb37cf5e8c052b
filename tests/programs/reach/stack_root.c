// What a function holds that has not returned when exit() is called.
#include <stdlib.h>

static void* volatile sink;

static void Leave(void) { exit(0); }

int main(void) {
  void* volatile held = malloc(33);  // leak: 1 block 33 bytes malloc is reachable from stack
  sink = held;
  sink = NULL;
  Leave();
  (void)held;
  return 1;
}

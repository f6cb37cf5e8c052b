// What an exit handler was given.
#include <stdlib.h>

static void AtExit(int status, void* argument) {
  (void)status;
  (void)argument;
}

int main(void) {
  return on_exit(AtExit, malloc(61));  // leak: 1 block 61 bytes malloc is reachable from global
}

// exit() with a full standard output buffer, which must still be written.
#include <stdio.h>
#include <stdlib.h>

static void Leak(void) {
  for (int i = 0; i < 3; ++i) {
    void* volatile block = malloc(27);  // leak: 3 blocks 81 bytes malloc
    (void)block;
  }
}

int main(void) {
  Leak();
  printf("written at exit\n");
  exit(3);  // exit: 3
}

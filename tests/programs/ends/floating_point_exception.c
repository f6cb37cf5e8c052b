// An integer division by zero.
#include <stdlib.h>

static void Leak(void) {
  for (int i = 0; i < 3; ++i) {
    void* volatile block = malloc(27);  // leak: 3 blocks 81 bytes malloc
    (void)block;
  }
}

int main(void) {
  Leak();
  volatile int zero = 0;
  return 100 / zero;  // signal: SIGFPE
}

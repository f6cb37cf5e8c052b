// A write through a null pointer.
#include <stdlib.h>

static void Leak(void) {
  for (int i = 0; i < 3; ++i) {
    void* volatile block = malloc(27);  // leak: 3 blocks 81 bytes malloc
    (void)block;
  }
}

int main(void) {
  Leak();
  int* volatile nowhere = NULL;
  *nowhere = 1;  // signal: SIGSEGV
  return 0;
}

// abort() kills the program by SIGABRT.
#include <stdlib.h>

static void Leak(void) {
  for (int i = 0; i < 3; ++i) {
    void* volatile block = malloc(27);  // leak: 3 blocks 81 bytes malloc
    (void)block;
  }
}

int main(void) {
  Leak();
  abort();  // signal: SIGABRT
}

// Three blocks of 27 bytes from malloc are never freed; one is.
#include <stdlib.h>

static void* Leak(void) { return malloc(27); }  // leak: 3 blocks 81 bytes malloc

int main(void) {
  for (int i = 0; i < 3; ++i) Leak();
  free(malloc(28));
  return 0;
}

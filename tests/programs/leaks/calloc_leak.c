// Two blocks of 3 * 11 bytes from calloc are never freed.
#include <stdlib.h>

static void* Leak(void) { return calloc(3, 11); }  // leak: 2 blocks 66 bytes malloc

int main(void) {
  Leak();
  Leak();
  free(calloc(5, 5));
  return 0;
}

// A block that realloc made larger belongs to the call of realloc.
#include <stdlib.h>

static void* Grow(void* block) { return realloc(block, 100001); }  // leak: 1 blocks 100001 bytes malloc

int main(void) {
  Grow(malloc(10));
  return 0;
}

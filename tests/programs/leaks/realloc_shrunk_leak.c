// A block that realloc made smaller leaks its new size only.
#include <stdlib.h>

static void* Shrink(void* block) { return realloc(block, 7); }  // leak: 1 blocks 7 bytes malloc

int main(void) {
  Shrink(malloc(70000));
  return 0;
}

// The middle of a block is freed, aligned and not; the block itself stays whole.
#include <stdlib.h>

int main(void) {
  char* block = malloc(100);
  free(block + 16);  // error: invalid-free
  free(block + 1);   // error: invalid-free
  free(block);
  return 0;
}

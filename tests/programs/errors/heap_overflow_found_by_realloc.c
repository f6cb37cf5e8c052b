// The overflow is met when the block is resized.
#include <stdlib.h>

int main(void) {
  char* volatile block = malloc(24);
  block[24] = 1;
  block = realloc(block, 4800);  // error: heap-overflow
  free(block);
  return 0;
}

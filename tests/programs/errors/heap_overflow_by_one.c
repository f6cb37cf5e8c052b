// One byte is written behind the block.
#include <stdlib.h>

int main(void) {
  char* volatile block = malloc(27);  // error-allocated: heap-overflow
  block[27] = 'x';
  free(block);  // error: heap-overflow
  return 0;
}

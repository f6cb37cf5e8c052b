// One byte before the block is written.
// also: that block, whose record was destroyed
#include <stdlib.h>

int main(void) {
  char* volatile block = malloc(27);
  block[-1] ^= 0x55;
  free(block);  // error: heap-underflow
  return 0;
}

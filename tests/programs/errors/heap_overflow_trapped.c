// A byte behind the end of a block is written: met at the instruction. Nearer to the end than the inaccessible page, where the block's size
// is no multiple of its alignment, it is found when the block is freed.
// library options: page_guard=1
#include <stdlib.h>

int main(void) {
  char* volatile block = malloc(64);
  block[63] = 1;
  block[70] = 1;  // error: heap-overflow
  free(block);
  char* volatile other = malloc(27);
  other[28] = 1;
  free(other);  // error: heap-overflow
  return 0;
}

// What lies in front of a block is written: met at the instruction. In its header it is found when the block is freed, and still told whose it
// was.
// library options: page_guard=1:page_guard_side=before
#include <stdlib.h>

int main(void) {
  char* volatile block = malloc(48);
  block[-17] = 1;  // error: heap-underflow
  free(block);
  char* volatile other = malloc(27);
  other[-3] = 1;
  free(other);  // error: heap-underflow
  return 0;
}

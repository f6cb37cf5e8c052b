// A freed block is given to realloc.
// also: whatever that realloc returns
#include <stdlib.h>

int main(void) {
  void* block = malloc(29);
  free(block);
  free(realloc(block, 100));  // error: double-free
  return 0;
}

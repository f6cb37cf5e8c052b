// A block is freed twice.
#include <stdlib.h>

int main(void) {
  void* block = malloc(27);
  free(block);
  free(block);  // error: double-free
  return 0;
}

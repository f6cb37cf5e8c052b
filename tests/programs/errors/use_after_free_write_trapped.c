// A freed block is written, and then another one by realloc's old pointer: met at the instruction.
// library options: page_guard=1
#include <stdlib.h>

static int* Resized(size_t bytes) {
  int* block = malloc(bytes);           // error-allocated: use-after-free-write
  int* volatile old = block;
  free(realloc(block, bytes * 100));    // error-freed: use-after-free-write
  return old;
}

int main(void) {
  int* volatile written = Resized(20);
  written[4] = 7;  // error: use-after-free-write
  return written[4] == 7 ? 0 : 1;  // error-values: use-after-free-write 20 16
}

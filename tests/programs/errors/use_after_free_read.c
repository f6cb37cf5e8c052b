// A freed block is read: met at the instruction, once a block.
// library options: page_guard=1
#include <stdlib.h>

static char* Lose(size_t bytes) {
  char* block = malloc(bytes);  // error-allocated: use-after-free-read
  free(block);                  // error-freed: use-after-free-read
  return block;
}

int main(void) {
  const char* volatile read = Lose(100);
  volatile char sum = 0;
  sum += read[40];  // error: use-after-free-read
  sum += read[41];
  return sum;  // error-values: use-after-free-read 100 40
}

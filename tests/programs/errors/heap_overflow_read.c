// A byte behind the end of a block is read: met at the instruction.
// library options: page_guard=1
#include <stdlib.h>

int main(void) {
  const char* volatile block = calloc(1, 48);  // error-allocated: heap-overflow-read
  volatile char sum = 0;
  sum += block[47];
  sum += block[48];  // error: heap-overflow-read
  free((void*)block);
  return sum;  // error-values: heap-overflow-read 48 48
}

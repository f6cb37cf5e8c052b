// What lies in front of a block is read: met at the instruction, but for the 16 bytes of its header.
// library options: page_guard=1:page_guard_side=before
#include <stdlib.h>

int main(void) {
  const char* volatile block = calloc(1, 48);  // error-allocated: heap-underflow-read
  volatile char sum = 0;
  sum += block[0];
  sum += block[-20];  // error: heap-underflow-read
  free((void*)block);
  return sum;  // error-values: heap-underflow-read 48 -20
}

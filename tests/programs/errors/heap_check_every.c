// Each hundredth call looks at all blocks: what was written over is met long before it is freed, by a call that is near.
// library options: check_every=100
#include <stdlib.h>

int main(void) {
  char* volatile block = malloc(50);  // leak: 1 block 50 bytes malloc
  block[50] = 1;  // error-values: heap-overflow 50 50
  for (int i = 0; i < 300; ++i) {
    free(malloc(10));  // error: heap-overflow
  }
  abort();  // signal: SIGABRT
}

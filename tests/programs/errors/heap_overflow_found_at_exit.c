// The block is never freed: the overflow is met at the end.
#include <stdlib.h>

int main(void) {
  char* volatile block = malloc(40);  // leak: 1 blocks 40 bytes malloc
  block[40] = 0;                      // error-at-exit: heap-overflow
  return 0;
}

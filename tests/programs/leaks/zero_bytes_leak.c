// A block of no bytes is a block.
#include <stdlib.h>

int main(void) {
  for (int i = 0; i < 5; ++i) {
    void* volatile block = malloc(0);  // leak: 5 blocks 0 bytes malloc
    (void)block;
  }
  return 0;
}

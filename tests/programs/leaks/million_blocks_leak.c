// A million live blocks, and a large one.
#include <stdlib.h>

int main(void) {
  void* volatile block;
  for (int i = 0; i < 1000000; ++i) {
    block = malloc(9);  // leak: 1000000 blocks 9000000 bytes malloc
  }
  block = malloc((size_t)1 << 30);  // leak: 1 blocks 1073741824 bytes malloc
  return block == NULL;
}

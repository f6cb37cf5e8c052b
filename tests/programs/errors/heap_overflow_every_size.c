// One zero byte behind a block of every size, each from its own line of three.
#include <stdlib.h>

int main(void) {
  for (size_t bytes = 0; bytes <= 300; ++bytes) {
    char* volatile block = malloc(bytes);
    block[bytes] = 0;
    free(block);  // error: heap-overflow count 301
  }
  return 0;
}

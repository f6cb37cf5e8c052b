// Every byte of blocks of every size and alignment is written, and nothing else.
#include <stdlib.h>
#include <string.h>

int main(void) {
  for (size_t bytes = 0; bytes <= 300; ++bytes) {
    char* block = malloc(bytes);
    memset(block, 0, bytes);
    block = realloc(block, bytes * 3 + 1);
    memset(block, 0xff, bytes * 3 + 1);
    free(block);
    block = aligned_alloc(64, bytes * 64);
    memset(block, 1, bytes * 64);
    free(block);
  }
  return 0;
}

// Growing and shrinking in many steps keeps what is in the block; calloc is zero even where a block was before.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
  unsigned char* block = NULL;
  for (size_t bytes = 1; bytes < 300000; bytes += bytes / 3 + 1) {
    block = realloc(block, bytes);
    block[bytes - 1] = (unsigned char)bytes;
    for (size_t i = 0; i + 1 < bytes; i += 997) block[i] = 7;
  }
  for (size_t bytes = 200000; bytes > 0; bytes /= 2) {
    block = realloc(block, bytes);
    if (block[0] != 7) printf("lost at %zu\n", bytes);
  }
  free(block);
  for (size_t bytes = 1; bytes < 100000; bytes = bytes * 2 + 1) {
    free(memset(malloc(bytes), 0xff, bytes));
    unsigned char* zeros = calloc(bytes, 1);
    for (size_t i = 0; i < bytes; ++i) {
      if (zeros[i] != 0) return printf("not zero at %zu of %zu\n", i, bytes);
    }
    free(zeros);
  }
  printf("done\n");
  return 0;
}

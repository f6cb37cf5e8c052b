// Every kind of block is freed at its start: from malloc, aligned, of no bytes, resized, duplicated by libc.
#include <stdlib.h>
#include <string.h>

int main(void) {
  void* blocks[] = {malloc(1),       calloc(2, 3), aligned_alloc(64, 64), malloc(0), realloc(malloc(4), 400),
                    strdup("libc's")};
  for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); ++i) free(blocks[i]);
  void* aligned = NULL;
  if (posix_memalign(&aligned, 4096, 10) == 0) free(aligned);
  return 0;
}

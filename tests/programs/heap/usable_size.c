// malloc_usable_size tells the size that was asked for, so that nobody writes into the guard.
// plain: differs
// prints: done
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  for (size_t bytes = 0; bytes <= 5000; ++bytes) {
    void* block = malloc(bytes);
    if (malloc_usable_size(block) != bytes) printf("malloc(%zu): %zu\n", bytes, malloc_usable_size(block));
    block = realloc(block, 2 * bytes + 1);
    if (malloc_usable_size(block) != 2 * bytes + 1) printf("realloc(%zu): %zu\n", bytes, malloc_usable_size(block));
    free(block);
  }
  void* block = aligned_alloc(64, 640);
  if (malloc_usable_size(block) != 640) printf("aligned_alloc: %zu\n", malloc_usable_size(block));
  free(block);
  if (malloc_usable_size(NULL) != 0) printf("NULL\n");
  printf("done\n");
  return 0;
}

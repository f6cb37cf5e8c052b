// A block of __libc_malloc, which no door sees, is freed and resized by the doors: passed on, counted, no error.
// foreign frees: 3
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void* __libc_malloc(size_t bytes);

int main(void) {
  free(__libc_malloc(100));
  char* block = __libc_malloc(20);
  strcpy(block, "kept");
  block = realloc(block, 100000);
  printf("%s\n", block);
  free(block);
  return 0;
}

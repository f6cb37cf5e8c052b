// realloc(p, 0) frees the block and returns NULL.
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  volatile size_t nothing = 0;
  for (int i = 0; i < 3; ++i) printf("%s\n", realloc(malloc(27), nothing) == NULL ? "NULL" : "a block");
  return 0;
}

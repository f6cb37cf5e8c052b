// A statically linked program: nothing can be preloaded into it.
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  void* volatile block = malloc(27);
  printf("static %s\n", block != NULL ? "program" : "?");
  free(block);
  return 0;
}

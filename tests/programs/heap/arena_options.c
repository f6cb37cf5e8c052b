// mallopt, mallinfo2, malloc_trim and malloc_info still answer, whatever they say.
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  mallopt(M_ARENA_MAX, 1);
  void* block = malloc(1 << 22);
  (void)mallinfo2();
  free(block);
  malloc_trim(0);
  FILE* nowhere = fopen("/dev/null", "w");
  if (nowhere == NULL || malloc_info(0, nowhere) != 0) return 1;
  fclose(nowhere);
  printf("done\n");
  return 0;
}

// held_blocks COUNT: makes so many tiny blocks, all live at once, then frees them: what a block costs in memory.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: held_blocks COUNT\n");
    return 2;
  }
  const size_t count = strtoul(argv[1], NULL, 10);
  unsigned char** blocks = malloc((count + 1) * sizeof *blocks);
  unsigned long sum = 0;
  if (blocks == NULL) return 1;
  for (size_t i = 0; i < count; ++i) {
    const size_t bytes = 16 + i * 29 % 113;
    blocks[i] = malloc(bytes);
    if (blocks[i] == NULL) return 1;
    memset(blocks[i], (int)i, bytes);
  }
  for (size_t i = 0; i < count; ++i) {
    sum += blocks[i][15];
    free(blocks[i]);
  }
  free(blocks);
  printf("%lu\n", sum);
  return 0;
}

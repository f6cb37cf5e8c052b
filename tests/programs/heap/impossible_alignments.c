// Alignments that are no power of two, or too small for posix_memalign.
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  const size_t wrong[] = {0, 1, 2, 3, 7, 12, 24, 48, 65, 4095, SIZE_MAX};
  for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); ++i) {
    void* block = &block;
    const int error = posix_memalign(&block, wrong[i], 10);
    if (error != EINVAL || block != (void*)&block) printf("posix_memalign %zu: %d\n", wrong[i], error);
  }
  // memalign rounds up to a power of two.
  void* block = memalign(48, 10);
  printf("memalign 48: %s\n", block != NULL && (uintptr_t)block % 64 == 0 ? "64" : "wrong");
  free(block);
  return 0;
}

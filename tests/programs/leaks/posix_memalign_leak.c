// Blocks of posix_memalign, at small and large alignments.
#include <stdlib.h>

static void Leak(size_t alignment) {
  void* block = NULL;
  if (posix_memalign(&block, alignment, 41) != 0) abort();  // leak: 3 blocks 123 bytes aligned malloc
}

int main(void) {
  Leak(32);
  Leak(256);
  Leak(65536);
  return 0;
}

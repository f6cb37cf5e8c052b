// Blocks of aligned_alloc, memalign and valloc.
#include <malloc.h>
#include <stdlib.h>

int main(void) {
  void* volatile one = aligned_alloc(64, 192);  // leak: 1 blocks 192 bytes aligned malloc
  void* volatile two = memalign(128, 39);       // leak: 1 blocks 39 bytes aligned malloc
  void* volatile three = valloc(43);            // leak: 1 blocks 43 bytes aligned malloc
  free(aligned_alloc(64, 64));
  (void)one, (void)two, (void)three;
  return 0;
}

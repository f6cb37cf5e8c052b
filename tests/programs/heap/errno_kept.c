// Calls that succeed leave errno alone, the very first and the freeing ones included.
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#define KEEPS(call)                                      \
  do {                                                   \
    errno = 4242;                                        \
    call;                                                \
    if (errno != 4242) printf("%s: %d\n", #call, errno); \
  } while (0)

int main(void) {
  void* block;
  void* aligned = NULL;
  KEEPS(block = malloc(10));
  KEEPS(block = realloc(block, 1000000));
  KEEPS(malloc_usable_size(block));
  KEEPS(free(block));
  KEEPS(block = calloc(100, 100000));
  KEEPS(free(block));
  KEEPS(if (posix_memalign(&aligned, 64, 10) != 0) abort());
  KEEPS(free(aligned));
  KEEPS(free(NULL));
  errno = 4242;
  if (posix_memalign(&aligned, 3, 10) != EINVAL || errno != 4242) printf("posix_memalign: %d\n", errno);
  printf("done\n");
  return 0;
}

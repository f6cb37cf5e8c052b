// Under a limit of address space malloc fails as it should, and works again when memory was freed.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

int main(void) {
  void* blocks[1000];
  int count = 0;
  free(malloc(1));
  struct rlimit limit;
  getrlimit(RLIMIT_AS, &limit);
  FILE* statm = fopen("/proc/self/statm", "r");
  unsigned long pages = 0;
  if (statm == NULL || fscanf(statm, "%lu", &pages) != 1) return 1;
  fclose(statm);
  limit.rlim_cur = pages * 4096 + (200UL << 20);
  setrlimit(RLIMIT_AS, &limit);
  while (count < 1000 && (blocks[count] = malloc(1 << 20)) != NULL) ++count;
  const int error = errno;
  while (count > 0) free(blocks[--count]);
  printf("%s, then %s\n", error == ENOMEM ? "ENOMEM" : "?", (blocks[0] = malloc(1 << 20)) != NULL ? "memory" : "none");
  free(blocks[0]);
  return 0;
}

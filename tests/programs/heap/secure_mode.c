// A setuid copy of this program runs in the loader's secure mode. run_alone.py makes the copy.
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>

int main(void) {
  void* volatile block = malloc(47);  // leak: 1 blocks 47 bytes malloc
  (void)block;
  printf("secure %lu\n", getauxval(AT_SECURE));
  return 0;
}

// One allocating function, two callers: two leaks of the same line.
#include <stdlib.h>

static void* Make(void) { return malloc(61); }  // leak: 3 blocks 183 bytes malloc

__attribute__((noinline)) static void First(void) { Make(); }
__attribute__((noinline)) static void Second(void) { Make(), Make(); }

int main(void) {
  First();
  Second();
  return 0;
}

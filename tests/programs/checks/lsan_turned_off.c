// A program that wants no check, and brings suppressions (for which there is nothing to do then).
#include <stdlib.h>

__attribute__((visibility("default"))) int __lsan_is_turned_off(void) { return 1; }

static void* volatile sink;

int main(void) {
  sink = malloc(5);  // leak: 1 block 5 bytes malloc
  sink = NULL;
  return 0;  // exit: 0
}

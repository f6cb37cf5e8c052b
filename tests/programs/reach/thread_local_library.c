#include <stdlib.h>

static _Thread_local void* volatile of_library;

void Keep(void) {
  of_library = malloc(44);  // leak: 1 block 44 bytes malloc is reachable from thread-local
}

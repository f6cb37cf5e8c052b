// What unloaded_library_leak.c loads.
#include <stdlib.h>

void LeakInLibrary(void) {
  void* volatile block = malloc(73);  // leak: 2 blocks 146 bytes malloc
  (void)block;
}

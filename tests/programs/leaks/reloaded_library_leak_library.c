// What reloaded_library_leak.c loads.
#include <stdlib.h>

static void* volatile kept;

__attribute__((constructor)) static void Loaded(void) {
  kept = malloc(11);  // leak: 50 blocks 550 bytes malloc
}
__attribute__((destructor)) static void Unloaded(void) {
  kept = malloc(13);  // leak: 50 blocks 650 bytes malloc
}

void LeakInReloadedLibrary(void) {
  kept = malloc(17);  // leak: 50 blocks 850 bytes malloc
}

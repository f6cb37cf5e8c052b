#include <stdlib.h>

void* g_held;

void Hold(void) {
  g_held = malloc(91);  // leak: 1 block 91 bytes malloc is definite
}

// The address of a global variable is freed.
#include <stdlib.h>

static char global[64];

int main(void) {
  free(global);  // error: invalid-free
  return 0;
}

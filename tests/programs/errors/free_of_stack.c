// The address of a local variable is freed.
#include <stdlib.h>

int main(void) {
  char local[64];
  free(local);  // error: invalid-free
  return 0;
}

// The first error ends the program where it is met.
// run options: --on-error=abort
#include <stdlib.h>

int main(void) {
  void* volatile block = malloc(27);
  free(block);
  free(block);  // error: double-free
  free(block);
  return 0;  // signal: SIGABRT
}

// main() has returned: nobody holds what its variables held.
#include <stdlib.h>

int main(void) {
  void* volatile held = malloc(33);  // leak: 1 block 33 bytes malloc is definite
  return held == NULL;
}

// A block beside an inaccessible page is freed twice: it is known where first.
// library options: page_guard=1
#include <stdlib.h>

int main(void) {
  char* volatile block = malloc(33);  // error-allocated: double-free
  free(block);                        // error-freed: double-free
  free(block);                        // error: double-free
  return 0;                           // error-values: double-free 33 0
}

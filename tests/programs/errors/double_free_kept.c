// With a quarantine a second free tells where the first was and what block it was; and a free of a freed block's inside is told from others.
// library options: quarantine_mb=1
#include <stdlib.h>

int main(void) {
  char* volatile block = malloc(27);  // error-allocated: double-free
  free(block);                        // error-freed: double-free
  free(block);                        // error: double-free
  // error-values: double-free 27 0
  // error-values: invalid-free 27 5
  free(block + 5);  // error: invalid-free
  return 0;
}

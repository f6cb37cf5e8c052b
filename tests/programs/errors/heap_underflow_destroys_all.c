// The sixteen bytes before the block are overwritten.
// also: that block, whose record was destroyed
#include <stdlib.h>
#include <string.h>

int main(void) {
  char* volatile block = malloc(32);
  memset(block - 16, 0, 16);
  free(block);  // error: heap-underflow
  return 0;
}

// The terminating zero of a string is written behind its block.
#include <stdlib.h>
#include <string.h>

int main(void) {
  char* volatile block = malloc(5);  // error-allocated: heap-overflow
  strcpy(block, "12345");
  free(block);  // error: heap-overflow
  return 0;
}

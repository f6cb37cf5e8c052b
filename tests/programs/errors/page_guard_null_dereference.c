// A fault that is none of a block's ends the program as ever, although one before it was met.
// library options: page_guard=1
#include <stdlib.h>

int main(void) {
  const char* volatile freed = malloc(16);
  free((void*)freed);
  volatile char sum = freed[3];  // error: use-after-free-read
  char* volatile nowhere = NULL;
  *nowhere = sum;  // signal: SIGSEGV
  return 0;
}

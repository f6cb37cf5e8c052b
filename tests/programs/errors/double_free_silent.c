// Two blocks, at one address after each other, are freed once each; NULL is freed often.
#include <stdlib.h>

int main(void) {
  void* volatile block = malloc(27);
  free(block);
  block = malloc(27);
  free(block);
  for (int i = 0; i < 3; ++i) free(NULL);
  return 0;
}

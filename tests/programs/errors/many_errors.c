// The same mistake a thousand times is one error with a count.
#include <stdlib.h>

int main(void) {
  for (int i = 0; i < 1000; ++i) {
    void* block = malloc(16);
    free(block);
    free(block);  // error: double-free count 1000
  }
  return 0;
}

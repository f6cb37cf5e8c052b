// Freed blocks are written: in the middle, behind their end and in front of them. The quarantine finds it when they leave.
// library options: quarantine_mb=1
#include <stdlib.h>

static char* Lose(size_t bytes) {
  char* block = malloc(bytes);  // error-allocated: use-after-free-write
  free(block);                  // error-freed: use-after-free-write
  return block;
}

int main(void) {
  char* volatile written = Lose(100);
  written[40] = 1;  // error-values: use-after-free-write 100 40
  for (int i = 0; i < 100000; ++i) {
    void* volatile other = malloc(200);
    free(other);  // error: use-after-free-write
  }
  return 0;
}

// Two calls in each of twelve levels: 4096 stacks that end in one line.
#include <stdlib.h>

static void Descend(int levels) {
  if (levels == 0) {
    void* volatile block = malloc(19);  // leak: 4096 blocks 77824 bytes malloc
    (void)block;
    return;
  }
  Descend(levels - 1);
  Descend(levels - 1);
}

int main(void) {
  Descend(12);
  return 0;
}

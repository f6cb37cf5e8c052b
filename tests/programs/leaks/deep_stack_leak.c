// The leak happens under 300 frames, and all of them are recorded.
// frames: 302
#include <stdlib.h>

static void* Descend(int depth) {
  void* volatile block = depth == 0 ? malloc(53)  // leak: 1 blocks 53 bytes malloc
                                    : Descend(depth - 1);
  return block;
}

int main(void) {
  Descend(300);
  return 0;
}

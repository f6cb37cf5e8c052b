// Endless recursion: there is no stack left to do anything on.
// degraded: SIGSEGV
// verdict: incomplete
#include <stdlib.h>

static void Leak(void) {
  for (int i = 0; i < 3; ++i) {
    void* volatile block = malloc(27);  // leak: 3 blocks 81 bytes malloc
    (void)block;
  }
}

#pragma GCC diagnostic ignored "-Winfinite-recursion"
static int Recurse(int depth) {
  volatile char room[4096];
  room[depth % 4096] = (char)depth;
  return Recurse(depth + 1) + room[0];
}

int main(void) {
  Leak();
  return Recurse(1);  // signal: SIGSEGV
}

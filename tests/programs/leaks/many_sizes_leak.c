// Every size from 0 to 2000 and some large ones, from one place: 0 + 1 + ... + 2000, and 1 + 2 + 4 + ... + 16 MiB.
#include <stdlib.h>

static void* Leak(size_t bytes) { return malloc(bytes); }  // leak: 2026 blocks 35555431 bytes malloc

int main(void) {
  for (size_t bytes = 0; bytes <= 2000; ++bytes) Leak(bytes);
  for (size_t bytes = 1; bytes <= (16 << 20); bytes *= 2) Leak(bytes);
  return 0;
}

// What lies in frames that are gone is no pointer.
#include <stdlib.h>

static void Forget(void) {
  void* volatile held[50];
  for (int i = 0; i < 50; ++i) held[i] = malloc(8);  // leak: 50 blocks 400 bytes malloc is definite
  if (held[0] == NULL) abort();
}

int main(void) {
  Forget();
  exit(0);
}

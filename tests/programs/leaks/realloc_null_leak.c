// realloc and reallocarray of NULL allocate.
#include <stdlib.h>

int main(void) {
  void* volatile one = realloc(NULL, 33);          // leak: 1 blocks 33 bytes malloc
  void* volatile two = reallocarray(NULL, 13, 5);  // leak: 1 blocks 65 bytes malloc
  (void)one;
  (void)two;
  return 0;
}

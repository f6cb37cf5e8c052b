// The program becomes one that ends with its own status.
#include <stdlib.h>
#include <unistd.h>

static void Leak(void) {
  for (int i = 0; i < 3; ++i) {
    void* volatile block = malloc(27);  // child-leak: 3 blocks 81 bytes malloc
    (void)block;
  }
}

int main(void) {
  Leak();
  execl("/bin/sh", "sh", "-c", "echo became; exit 13", (char*)NULL);
  return 1;  // exit: 13
}

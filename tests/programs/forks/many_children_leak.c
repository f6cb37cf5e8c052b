// Sixteen children at once, each with one leak.
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  for (int i = 0; i < 16; ++i) {
    if (fork() == 0) {
      void* volatile block = malloc(67);  // child-leak: 16 blocks 1072 bytes malloc
      (void)block;
      exit(0);
    }
  }
  while (wait(NULL) > 0) {
  }
  return 0;
}

// The child leaks, the parent does not.
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  const pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 2; ++i) {
      void* volatile block = malloc(31);  // child-leak: 2 blocks 62 bytes malloc
      (void)block;
    }
    return 0;
  }
  waitpid(child, NULL, 0);
  return 0;
}

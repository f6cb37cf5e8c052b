// The parent leaks, before and after the fork; the child does not.
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  void* volatile before = malloc(37);  // leak: 1 blocks 37 bytes malloc
  const pid_t child = fork();
  if (child == 0) {
    free(malloc(38));
    exit(0);
  }
  void* volatile after = malloc(41);  // leak: 1 blocks 41 bytes malloc
  (void)before, (void)after;
  waitpid(child, NULL, 0);
  return 0;
}

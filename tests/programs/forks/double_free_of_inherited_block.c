// The child frees an inherited block twice; the parent's own free of it is right.
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  void* block = malloc(53);
  const pid_t child = fork();
  if (child == 0) {
    free(block);
    free(block);  // child-error: double-free
    return 0;
  }
  waitpid(child, NULL, 0);
  free(block);
  return 0;
}

// An inherited block that the child makes larger is the child's own from then on.
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  void* block = malloc(47);
  const pid_t child = fork();
  if (child == 0) {
    block = realloc(block, 100000);  // child-leak: 1 blocks 100000 bytes malloc
    return block == NULL;
  }
  waitpid(child, NULL, 0);
  free(block);
  return 0;
}

// Blocks that the child inherited, and frees, resizes or keeps, are not its leaks; the parent frees its own.
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  void* blocks[30];
  for (int i = 0; i < 30; ++i) blocks[i] = malloc(43);
  const pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 10; ++i) free(blocks[i]);
    for (int i = 10; i < 20; ++i) free(realloc(blocks[i], 4300));
    return 0;
  }
  waitpid(child, NULL, 0);
  for (int i = 0; i < 30; ++i) free(blocks[i]);
  return 0;
}

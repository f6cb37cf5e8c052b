// posix_spawn and posix_spawnp with an empty environment; the programs that they start are followed all the same.
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc > 1) {
    void* volatile block = malloc(173);  // child-leak: 2 blocks 346 bytes malloc
    (void)block;
    return 0;
  }
  char* arguments[] = {argv[0], "child", NULL};
  char* nothing[] = {NULL};
  pid_t child = 0;
  if (posix_spawn(&child, argv[0], NULL, NULL, arguments, nothing) != 0) return 1;
  waitpid(child, NULL, 0);
  if (posix_spawnp(&child, argv[0], NULL, NULL, arguments, nothing) != 0) return 2;
  waitpid(child, NULL, 0);
  return 0;
}

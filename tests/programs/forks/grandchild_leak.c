// Child and grandchild leak; nobody waits for the grandchild but its pipe.
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  int ends[2];
  if (pipe(ends) != 0) return 1;
  const pid_t child = fork();
  if (child == 0) {
    void* volatile block = malloc(59);  // child-leak: 1 blocks 59 bytes malloc
    (void)block;
    if (fork() == 0) {
      block = malloc(61);  // child-leak: 1 blocks 61 bytes malloc
      exit(0);
    }
    _exit(0);
  }
  waitpid(child, NULL, 0);
  close(ends[1]);
  char byte;
  return (int)read(ends[0], &byte, 1);
}

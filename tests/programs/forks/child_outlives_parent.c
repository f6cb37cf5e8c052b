// The parent ends while its child still runs: the child's leak is read from its living record.
// child verdict: incomplete
#include <stdlib.h>
#include <unistd.h>

int main(void) {
  int ends[2];
  if (pipe(ends) != 0) return 1;
  if (fork() == 0) {
    void* volatile block = malloc(149);  // child-leak: 1 blocks 149 bytes malloc
    (void)block;
    if (write(ends[1], "x", 1) != 1) return 1;
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    sleep(5);
    _exit(0);
  }
  char byte;
  return read(ends[0], &byte, 1) == 1 ? 0 : 2;
}

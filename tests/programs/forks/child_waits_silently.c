// A forked child that outlives its parent and has not allocated yet is told of all the same.
// child verdict: incomplete
#include <unistd.h>

int main(void) {
  if (fork() == 0) {
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    sleep(5);
    _exit(0);
  }
  return 0;
}

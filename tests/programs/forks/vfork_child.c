// A vfork child, which shares the parent's memory, allocates and frees and becomes another program.
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  void* volatile block = malloc(73);  // leak: 1 blocks 73 bytes malloc
  (void)block;
  const pid_t child = vfork();
  if (child == 0) {
    free(malloc(74));
    execl("/bin/true", "true", (char*)NULL);
    _exit(9);
  }
  int status = 0;
  waitpid(child, &status, 0);
  free(malloc(75));
  return WEXITSTATUS(status);
}

// With --follow=none neither a forked child nor an exec'ed program is recorded, and the child's environment is clean.
// run options: --follow=none
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char** argv) {
  const char* preload = getenv("LD_PRELOAD");
  if (argc > 1) return preload != NULL && strstr(preload, "mallocspy") != NULL ? 7 : 0;
  void* volatile block = malloc(113);  // leak: 1 blocks 113 bytes malloc
  const pid_t child = fork();
  if (child == 0) {
    block = malloc(127);
    execl(argv[0], argv[0], "child", (char*)NULL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  (void)block;
  return WEXITSTATUS(status);
}

// A null pointer in place of an environment means an empty one, and so does clearenv(); the programs started like that
// are followed all the same, and see none.
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int StatusOf(pid_t child) {
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(int argc, char** argv) {
  if (argc > 1) {
    void* volatile block = malloc(181);  // child-leak: 4 blocks 724 bytes malloc
    (void)block;
    return environ == NULL || environ[0] == NULL ? 0 : 9;
  }
  char* arguments[] = {argv[0], "child", NULL};
  pid_t child = 0;
  if (posix_spawn(&child, argv[0], NULL, NULL, arguments, NULL) != 0 || StatusOf(child) != 0) return 1;
  child = fork();
  if (child == 0) {
    execve(argv[0], arguments, NULL);
    _exit(8);
  }
  if (StatusOf(child) != 0) return 2;
  clearenv();
  child = vfork();
  if (child == 0) {
    execv(argv[0], arguments);
    _exit(8);
  }
  if (StatusOf(child) != 0) return 3;
  if (posix_spawn(NULL, argv[0], NULL, NULL, arguments, environ) != 0) return 4;
  return StatusOf(-1);
}

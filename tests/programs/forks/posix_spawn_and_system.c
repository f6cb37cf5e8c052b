// Programs started by posix_spawn, system and popen; the parent's leak stays the parent's.
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  void* volatile block = malloc(83);  // leak: 1 blocks 83 bytes malloc
  (void)block;
  char* arguments[] = {"true", NULL};
  pid_t child = 0;
  if (posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environ) != 0) return 1;
  waitpid(child, NULL, 0);
  if (system("exit 3") == 0) return 2;
  FILE* pipe = popen("echo from the child", "r");
  char line[64];
  if (pipe == NULL || fgets(line, sizeof(line), pipe) == NULL) return 3;
  fputs(line, stdout);
  return pclose(pipe) == 0 ? 0 : 4;
}

// Starts the program that it is told to and waits for it: starts_program DOOR PROGRAM.
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const char* const door = argv[1];
  char* const program = argv[2];
  char* arguments[] = {program, NULL};
  pid_t child = 0;
  if (strcmp(door, "posix_spawn") == 0) {
    if (posix_spawn(&child, program, NULL, NULL, arguments, environ) != 0) return 3;
  } else if (strcmp(door, "posix_spawnp") == 0) {
    if (posix_spawnp(NULL, program, NULL, NULL, arguments, environ) != 0) return 3;
  } else if (strcmp(door, "vfork") == 0) {
    child = vfork();
    if (child == 0) {
      execv("/nonexistent", arguments);  // what failed is not remembered
      execve(program, arguments, environ);
      _exit(4);
    }
  } else if (strcmp(door, "fork") == 0) {
    child = fork();  // no event before the exec
    if (child == 0) {
      execv(program, arguments);
      _exit(4);
    }
  } else if (strcmp(door, "fork_with_event") == 0) {
    child = fork();
    if (child == 0) {
      void* volatile block = malloc(1);
      free(block);
      execv(program, arguments);
      _exit(4);
    }
  } else if (strcmp(door, "system") == 0) {
    char command[4096] = "exec ";
    strncat(command, program, sizeof(command) - 16);
    return WEXITSTATUS(system(command));
  } else {
    return 2;
  }
  int status = 0;
  while (wait(&status) > 0) {
  }
  return WEXITSTATUS(status);
}

// many_execs COUNT: starts /bin/true so many times, by fork and exec, with a block or two for each.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: many_execs COUNT\n");
    return 2;
  }
  int good = 0;
  for (int count = atoi(argv[1]); count > 0; --count) {
    char* argument = strdup("an argument");
    const pid_t child = fork();
    if (child == 0) {
      execl("/bin/true", "true", argument, (char*)NULL);
      _exit(127);
    }
    int status = 1;
    if (child > 0 && waitpid(child, &status, 0) == child && status == 0) ++good;
    free(argument);
  }
  printf("%d\n", good);
  return 0;
}

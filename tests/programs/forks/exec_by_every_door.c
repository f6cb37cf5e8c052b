// The program becomes itself through one exec function after another; each image has its own report.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char** argv) {
  const int step = argc > 1 ? atoi(argv[1]) : 0;
  char next[16];
  snprintf(next, sizeof(next), "%d", step + 1);
  char* arguments[] = {argv[0], next, NULL};
  const int file = open(argv[0], O_RDONLY | O_CLOEXEC);
  if (step == 9) return malloc(157) == NULL;  // leak: 1 blocks 157 bytes malloc
  void* volatile block = malloc(151);         // child-leak: 9 blocks 1359 bytes malloc
  (void)block;
  if (step == 0) execl(argv[0], argv[0], next, (char*)NULL);
  if (step == 1) execlp(argv[0], argv[0], next, (char*)NULL);
  if (step == 2) execle(argv[0], argv[0], next, (char*)NULL, environ);
  if (step == 3) execv(argv[0], arguments);
  if (step == 4) execvp(argv[0], arguments);
  if (step == 5) execve(argv[0], arguments, environ);
  if (step == 6) execvpe(argv[0], arguments, environ);
  if (step == 7) fexecve(file, arguments, environ);
  if (step == 8) execveat(AT_FDCWD, argv[0], arguments, environ, 0);
  return 1;
}

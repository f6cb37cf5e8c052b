// A program that is started with an environment of the caller's making, even an empty one, is followed all the same.
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc > 1) {
    void* volatile second = malloc(163);  // leak: 1 blocks 163 bytes malloc
    (void)second;
    return 0;
  }
  void* volatile first = malloc(167);  // child-leak: 1 blocks 167 bytes malloc
  (void)first;
  char* arguments[] = {argv[0], "again", NULL};
  char* nothing[] = {NULL};
  return execve(argv[0], arguments, nothing);
}

// The program leaks, becomes itself again, and leaks something else: two images of one process, two reports.
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc > 1) {
    void* volatile second = malloc(101);  // leak: 1 blocks 101 bytes malloc
    (void)second;
    return 5;  // exit: 5
  }
  void* volatile first = malloc(103);  // child-leak: 1 blocks 103 bytes malloc
  (void)first;
  execl(argv[0], argv[0], "again", (char*)NULL);
  return 9;
}

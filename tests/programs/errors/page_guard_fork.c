// A child's errors are its own: with a block that it inherited, one that its parent freed, and one of its own.
// library options: page_guard=1
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  char* volatile inherited = malloc(16);
  char* volatile freed = malloc(16);
  free(freed);
  const pid_t child = fork();
  if (child == 0) {
    volatile char sum = freed[1];  // child-error: use-after-free-read
    inherited[16] = 1;             // child-error: heap-overflow
    free(inherited);
    sum += inherited[3];  // child-error: use-after-free-read
    char* volatile own = malloc(5);
    free(own);
    sum += own[3];  // child-error: use-after-free-read
    return 0;
  }
  int status;
  if (waitpid(child, &status, 0) != child || status != 0) return 1;
  inherited[15] = 2;
  free(inherited);
  return 0;
}

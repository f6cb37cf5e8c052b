// A child made by _Fork, which runs no fork handlers, and one by a bare clone system call.
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  if (_Fork() == 0) {
    void* volatile block = malloc(89);  // child-leak: 1 blocks 89 bytes malloc
    (void)block;
    _exit(0);
  }
  wait(NULL);
  if (syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL) == 0) {
    void* volatile block = malloc(97);  // child-leak: 1 blocks 97 bytes malloc
    (void)block;
    _exit(0);
  }
  wait(NULL);
  return 0;
}

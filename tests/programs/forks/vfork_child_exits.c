// A vfork child that ends by _exit must not end its parent's record.
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  if (vfork() == 0) _exit(0);
  wait(NULL);
  void* volatile block = malloc(79);  // leak: 1 blocks 79 bytes malloc
  (void)block;
  return 0;
}

// A handler of SIGSEGV of the program itself gets the signal, not mallocspy.
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void Leak(void) {
  for (int i = 0; i < 3; ++i) {
    void* volatile block = malloc(27);  // leak: 3 blocks 81 bytes malloc
    (void)block;
  }
}

static void Handle(int signal_number) {
  if (signal_number == SIGSEGV && write(1, "handled\n", 8) == 8) _exit(11);  // exit: 11
}

int main(void) {
  Leak();
  signal(SIGSEGV, Handle);
  int* volatile nowhere = NULL;
  *nowhere = 1;
  return 0;
}

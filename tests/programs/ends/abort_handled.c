// A handler of SIGABRT ends the program in its own way.
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
  (void)signal_number;
  _exit(10);  // exit: 10
}

int main(void) {
  Leak();
  signal(SIGABRT, Handle);
  abort();
}

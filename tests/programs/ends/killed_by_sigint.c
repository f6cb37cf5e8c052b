// The program is killed from the keyboard: SIGINT.
// degraded: SIGINT
// verdict: incomplete
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void Leak(void) {
  for (int i = 0; i < 3; ++i) {
    void* volatile block = malloc(27);  // leak: 3 blocks 81 bytes malloc
    (void)block;
  }
}

int main(void) {
  Leak();
  kill(getpid(), SIGINT);  // signal: SIGINT
  for (;;) pause();
}

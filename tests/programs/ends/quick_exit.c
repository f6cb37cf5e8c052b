// quick_exit() runs its own list of handlers only.
#include <stdlib.h>
#include <unistd.h>

static void Leak(void) {
  for (int i = 0; i < 3; ++i) {
    void* volatile block = malloc(27);  // leak: 3 blocks 81 bytes malloc
    (void)block;
  }
}

static void Say(void) {
  void* volatile block = malloc(29);  // leak: 1 blocks 29 bytes malloc
  (void)block;
  if (write(1, "quick\n", 6) != 6) _exit(1);
}

int main(void) {
  Leak();
  at_quick_exit(Say);
  quick_exit(9);  // exit: 9
}

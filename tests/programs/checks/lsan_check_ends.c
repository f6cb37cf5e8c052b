// LeakSanitizer's check at a moment of the program's choice ends the program if there are leaks; like this it is the end in any case.
#include <stdlib.h>

__attribute__((weak)) void __lsan_do_leak_check(void);

static void* volatile sink;

int main(void) {
  sink = malloc(5);  // leak: 1 block 5 bytes malloc
  sink = NULL;
  if (__lsan_do_leak_check != NULL) __lsan_do_leak_check();
  _Exit(23);  // exit: 23
}

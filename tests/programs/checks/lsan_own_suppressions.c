// A program that brings its own suppressions for LeakSanitizer.
#include <stdlib.h>

__attribute__((visibility("default"))) const char* __lsan_default_suppressions(void) { return "leak:LoseKnown\n"; }

static void* volatile sink;

static void LoseKnown(void) {
  sink = malloc(6);  // leak: 1 block 6 bytes malloc
  sink = NULL;
}

int main(void) {
  LoseKnown();
  return 0;  // exit: 0
}

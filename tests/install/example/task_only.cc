// A program that links mallocspy for its task allocator and wants its malloc left alone: `record=task` as its own
// default, which MALLOCSPY_OPTIONS can still overrule.
#include <cstdio>
#include <cstdlib>

#include "spy/malloc_spy.h"

extern "C" MALLOCSPY_API const char* mallocspy_default_options(void) { return "record=task"; }

void* volatile sink;

int main() {
  sink = CoTaskMemAlloc(111);
  sink = std::malloc(222);
  sink = nullptr;
  std::puts("two blocks forgotten");
  return 0;
}

// A library for the tests of modules, built several times under different names but with code of one size, and linked to lie at one
// address: each is loaded exactly where another was.
#include <cstdint>

extern "C" {

__attribute__((visibility("default"))) int CodeLibraryNumber() { return CODE_LIBRARY_NUMBER; }

// Calls back from a frame of `CODE_LIBRARY_FRAME` bytes.
__attribute__((visibility("default"), noinline)) int CodeLibraryCall(int (*function)(void*), void* argument) {
  volatile char frame[CODE_LIBRARY_FRAME];
  frame[0] = 1;
  return function(argument) + frame[0] - 1;
}
}

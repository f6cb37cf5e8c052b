#include <stdlib.h>

void* LibraryMakes(void) {
  return malloc(60);  // at: library
}
void LibraryErrs(void) {
  char* volatile block = LibraryMakes();
  block[60] = 1;
  free(block);  // error: heap-overflow size 60 value 60 made malloc allocated library
  free(block);  // error: double-free
}
void LibraryFrees(void* block) {
  free(block);  // error: mismatched-free size 70 made new used malloc allocated program
}

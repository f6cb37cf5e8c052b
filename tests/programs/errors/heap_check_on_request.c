// A check of the heap finds what was written over, tells it once however often it is made, and where the check was.
#include <stdlib.h>

#include "allocator/heap_check.h"

#pragma weak mallocspy_check_heap

static int Check(void) { return mallocspy_check_heap != NULL ? mallocspy_check_heap() : -1; }

int main(void) {
  if (Check() > 0) return 1;
  char* volatile block = malloc(24);  // error-allocated: heap-overflow
  block[26] = 1;                      // error-values: heap-overflow 24 26
  const int first = mallocspy_check_heap != NULL ? mallocspy_check_heap() : MALLOCSPY_HEAP_BAD_END;  // error: heap-overflow
  if (first != MALLOCSPY_HEAP_BAD_END) return 2;
  if (mallocspy_check_heap != NULL && Check() != MALLOCSPY_HEAP_BAD_END) return 3;
  free(block);
  if (Check() > 0) return 4;
  return 0;
}

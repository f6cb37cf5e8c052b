// Checks of the heap while threads allocate, resize and free: nothing is wrong, and all come to their end.
// library options: check_every=1000
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "allocator/heap_check.h"

#pragma weak mallocspy_check_heap

static void* Churn(void* unused) {
  void* kept[64] = {NULL};
  for (int i = 0; i < 20000; ++i) {
    void** place = &kept[i * 7 % 64];
    const size_t bytes = (size_t)(i * 37 % 500);
    if (i % 3 == 0) {
      free(*place);
      *place = malloc(bytes);
    } else {
      *place = realloc(*place, bytes + 1);
    }
    if (*place != NULL) memset(*place, i, i % 3 == 0 ? bytes : bytes + 1);
  }
  for (int i = 0; i < 64; ++i) free(kept[i]);
  return unused;
}

int main(void) {
  pthread_t threads[3];
  for (int i = 0; i < 3; ++i) pthread_create(&threads[i], NULL, Churn, NULL);
  int status = 0;
  for (int i = 0; i < 50 && mallocspy_check_heap != NULL; ++i) {
    if (mallocspy_check_heap() != MALLOCSPY_HEAP_OK) status = 1;
  }
  for (int i = 0; i < 3; ++i) pthread_join(threads[i], NULL);
  return status;
}

// Two threads free the same block.
#include <pthread.h>
#include <stdlib.h>

static void* Free(void* block) {
  free(block);  // error: double-free
  return NULL;
}

int main(void) {
  pthread_t threads[2];
  void* block = malloc(31);
  for (int i = 0; i < 2; ++i) {
    pthread_create(&threads[i], NULL, Free, block);
    pthread_join(threads[i], NULL);
  }
  return 0;
}

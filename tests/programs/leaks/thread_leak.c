// Four threads leak two blocks each, and free what another allocated.
#include <pthread.h>
#include <stdlib.h>

static void* Work(void* handed_over) {
  for (int i = 0; i < 2; ++i) {
    void* volatile block = malloc(67);  // leak: 8 blocks 536 bytes malloc
    (void)block;
  }
  free(handed_over);
  return NULL;
}

int main(void) {
  pthread_t threads[4];
  for (int i = 0; i < 4; ++i) pthread_create(&threads[i], NULL, Work, malloc(68));
  for (int i = 0; i < 4; ++i) pthread_join(threads[i], NULL);
  return 0;
}

// Three hundred threads, one after another and in bunches; each leaks one block and is gone.
#include <pthread.h>
#include <stdlib.h>

static void* Work(void* unused) {
  void* volatile block = malloc(71);  // leak: 300 blocks 21300 bytes malloc
  (void)block;
  for (int i = 0; i < 100; ++i) free(malloc(i));
  return unused;
}

int main(void) {
  for (int round = 0; round < 30; ++round) {
    pthread_t threads[10];
    for (int i = 0; i < 10; ++i) pthread_create(&threads[i], NULL, Work, NULL);
    for (int i = 0; i < 10; ++i) pthread_join(threads[i], NULL);
  }
  return 0;
}

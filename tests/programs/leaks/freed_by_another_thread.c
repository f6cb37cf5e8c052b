// Blocks that one thread allocates and another frees, while both run, and nothing leaks.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static _Atomic(void*) slot;

static void* Consume(void* unused) {
  for (int freed = 0; freed < 20000;) {
    void* block = atomic_exchange(&slot, NULL);
    if (block == NULL) continue;
    free(block);
    ++freed;
  }
  return unused;
}

int main(void) {
  pthread_t consumer;
  pthread_create(&consumer, NULL, Consume, NULL);
  for (int made = 0; made < 20000; ++made) {
    void* block = malloc(made % 512);
    void* empty = NULL;
    while (!atomic_compare_exchange_weak(&slot, &empty, block)) empty = NULL;
  }
  pthread_join(consumer, NULL);
  return 0;
}

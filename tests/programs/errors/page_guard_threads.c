// Threads read freed blocks at a time, and others' frees.
// library options: page_guard=1
#include <pthread.h>
#include <stdlib.h>

static char* shared[4];

static void* ReadFreed(void* argument) {
  const char* volatile block = argument;
  return (void*)(long)block[5];  // error: use-after-free-read count 4
}

int main(void) {
  pthread_t threads[4];
  for (int i = 0; i < 4; ++i) {
    shared[i] = malloc(10 + i);
    free(shared[i]);
  }
  for (int i = 0; i < 4; ++i) pthread_create(&threads[i], NULL, ReadFreed, shared[i]);
  for (int i = 0; i < 4; ++i) pthread_join(threads[i], NULL);
  return 0;
}

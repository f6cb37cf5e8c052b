// Blocks freed by the destructor of a thread-specific key, after the thread's own function: no leak.
#include <pthread.h>
#include <stdlib.h>

static pthread_key_t key;

static void Destroy(void* block) {
  free(realloc(block, 207));
  static __thread int rounds;
  if (++rounds < 3) pthread_setspecific(key, malloc(103));
}

static void* Work(void* unused) {
  pthread_setspecific(key, malloc(103));
  return unused;
}

int main(void) {
  pthread_key_create(&key, Destroy);
  for (int i = 0; i < 20; ++i) {
    pthread_t thread;
    pthread_create(&thread, NULL, Work, NULL);
    pthread_join(thread, NULL);
  }
  return 0;
}

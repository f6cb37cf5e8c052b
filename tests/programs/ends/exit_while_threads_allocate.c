// main returns while threads allocate and free at full speed.
// also: the blocks that a thread was holding
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static void Leak(void) {
  for (int i = 0; i < 3; ++i) {
    void* volatile block = malloc(27);  // leak: 3 blocks 81 bytes malloc
    (void)block;
  }
}

static atomic_int rounds;

static void* Work(void* unused) {
  for (;; atomic_fetch_add(&rounds, 1)) free(malloc(1000));
  return unused;
}

int main(void) {
  Leak();
  pthread_t threads[4];
  for (int i = 0; i < 4; ++i) pthread_create(&threads[i], NULL, Work, NULL);
  while (atomic_load(&rounds) < 10000) usleep(1000);
  return 0;
}

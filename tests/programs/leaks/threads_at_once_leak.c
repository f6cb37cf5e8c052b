// A hundred threads alive at the same time, detached, still waiting when the program ends; each holds a block.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_int ready;

static void* Work(void* unused) {
  void* volatile block = malloc(23);  // leak: 100 blocks 2300 bytes malloc
  (void)block;
  atomic_fetch_add(&ready, 1);
  for (;;) pause();
  return unused;
}

int main(void) {
  for (int i = 0; i < 100; ++i) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, Work, NULL) != 0) return 1;
    pthread_detach(thread);
  }
  while (atomic_load(&ready) < 100) usleep(1000);
  return 0;
}

// Threads with the smallest stack there is, 16 KiB, allocate and free, also near its end.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void* Work(void* unused) {
  for (int i = 0; i < 100; ++i) free(realloc(malloc(i), 5000));
  void* volatile block = malloc(37);  // leak: 50 blocks 1850 bytes malloc
  (void)block;
  return unused;
}

int main(void) {
  pthread_attr_t small;
  pthread_attr_init(&small);
  if (pthread_attr_setstacksize(&small, 16384) != 0) return 1;
  for (int i = 0; i < 50; ++i) {
    pthread_t thread;
    if (pthread_create(&thread, &small, Work, NULL) != 0) return 2;
    pthread_join(thread, NULL);
  }
  printf("done\n");
  return 0;
}

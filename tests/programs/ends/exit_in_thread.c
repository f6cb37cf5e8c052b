// A thread calls exit() while main waits.
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static void Leak(void) {
  for (int i = 0; i < 3; ++i) {
    void* volatile block = malloc(27);  // leak: 3 blocks 81 bytes malloc
    (void)block;
  }
}

static void* Work(void* unused) {
  (void)unused;
  exit(4);  // exit: 4
}

int main(void) {
  Leak();
  pthread_t thread;
  pthread_create(&thread, NULL, Work, NULL);
  for (;;) pause();
}
